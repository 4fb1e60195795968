import type { Finding } from '../../plan/step.ts'
import type { Plan } from '../../plan/survey.ts'
import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import { isForbidden } from '../../services/cloudflare/forbidden.ts'

export interface SurveyCheck {
  /** Of the installer's step, whose look is turned into a verdict. */
  readonly step: string
  readonly title: string
  /** What it means when the installer would change something here. */
  readonly severity: 'fault' | 'warning'
  readonly matters: string
}

const INIT = 'npx mastodon-r2 init'

/** What the installer would do is what is wrong: the doctor can't see things otherwise than it. */
export function surveyCheck(
  plan: () => Promise<Plan>,
  { step, title, severity, matters }: SurveyCheck,
): Check<never> {
  return {
    id: `cloudflare-${step}`,
    about: 'Cloudflare',
    title,
    cost: 'look',
    async look() {
      const finding = (await plan()).items.find(({ id }) => id === step)?.finding
      return finding ? judge(finding, severity, matters) : []
    },
  }
}

function judge(finding: Finding, severity: 'fault' | 'warning', matters: string): Verdict[] {
  switch (finding.is) {
    case 'ready':
    case 'later':
      return [{ severity: 'ok', saw: finding.note }, ...(finding.warnings ?? []).map(warned)]
    case 'waiting':
      return [{ severity: 'skipped', saw: 'not looked at: init has something to do before it' }]
    case 'blocked':
      return [blocked(finding)]
    case 'change': {
      const saw = `init would ${finding.changes.map(({ what }) => what).join('; ')}.`
      return [{ severity, saw, matters, next: INIT }, ...(finding.warnings ?? []).map(warned)]
    }
  }
}

function blocked({ problem }: Extract<Finding, { is: 'blocked' }>): Verdict {
  if (isForbidden(problem)) {
    return { severity: 'skipped', saw: 'the API token may not look at this' }
  }
  if (problem.code.startsWith('zone-')) {
    return { severity: 'skipped', saw: 'not looked at: the zone is not fit' }
  }
  return troubleOf(problem)
}

function warned(saw: string): Verdict {
  return {
    severity: 'warning',
    saw,
    matters: "The installer leaves this as it is, because it can't know what you want.",
    next: 'Look at the bucket at https://dash.cloudflare.com/?to=/:account/r2',
  }
}
