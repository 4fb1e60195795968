import { sharedLook } from '../../core/once.ts'
import type { Problem } from '../../core/problem.ts'
import { prose, type Text, toType } from '../../core/to-type.ts'
import type { Finding, World } from '../../plan/step.ts'
import type { Plan } from '../../plan/survey.ts'
import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import { permissionNames } from '../../services/cloudflare/port.ts'
import { isForbidden } from '../../services/cloudflare/refusal.ts'
import {
  type EdgeRule,
  isSameRule,
  recommended,
  wantedRule,
  zonePlace,
} from '../../setup/edge-rules.ts'
import { unfitZone } from '../../setup/media-domain.ts'
import {
  extraKeysCheck,
  findKeyInUse,
  keyExpiryCheck,
  keyRightsCheck,
  nothingIfForbidden,
} from './keys.ts'

type At = Pick<World, 'cloudflare' | 'setup'>

/**
 * The rules that `init --edge` keeps. None at all is no fault: what is missing for visitors is told
 * by the checks of the public web, whoever's rules are in force.
 */
export function edgeRulesCheck(at: At): Check<never> {
  return {
    id: 'cloudflare-edge-rules',
    about: 'Cloudflare',
    title: 'Edge rules',
    cost: 'look',
    async look() {
      const seen = await Promise.all(recommended.map((edge) => stateOf(at, edge)))
      const inState = (wanted: State) => seen.filter(({ state }) => state === wanted)
      const spoilt = inState('spoilt').map(({ edge }) => edge)
      const hidden = inState('hidden').map(({ edge }) => permissionNames[edge.permission])
      const kept = inState('kept').map(({ edge }) => edge.title)
      if (spoilt.length > 0) return [changed(spoilt)]
      if (kept.length > 0) return [{ severity: 'ok', saw: `there: ${kept.join(', ')}` }]
      if (hidden.length > 0) {
        return [{ severity: 'skipped', saw: `the API token lacks "${hidden.join('", "')}"` }]
      }
      const saw = prose`none of this tool; ${toType('init', { edge: 'recommended' })} puts some there`
      return [{ severity: 'ok', saw }]
    },
  }
}

type State = 'kept' | 'spoilt' | 'absent' | 'hidden'

async function stateOf(
  { cloudflare, setup }: At,
  edge: EdgeRule,
): Promise<{ readonly edge: EdgeRule; readonly state: State }> {
  const rules = await cloudflare.listRules(zonePlace(setup), edge.phase).catch(nothingIfForbidden)
  if (rules === undefined) return { edge, state: 'hidden' }
  const { wanted, ours } = wantedRule(edge, setup, rules)
  if (ours === undefined) return { edge, state: 'absent' }
  return { edge, state: isSameRule(ours, wanted) ? 'kept' : 'spoilt' }
}

function changed(rules: readonly EdgeRule[]): Verdict {
  const titles = rules.map(({ title }) => title).join(', ')
  return {
    severity: 'warning',
    saw: `Switched off, or not as this tool made it: ${titles}.`,
    matters: 'A rule that is there and does not act is easily taken for protection.',
    next: toType('init', { edge: rules.map(({ id }) => id).join(',') }),
    mend: { is: 'steps', ids: rules.map(({ id }) => id) },
  }
}

export interface SurveyCheck {
  /** Of the installer's step, whose look is turned into a verdict. */
  readonly step: string
  readonly title: string
  /** What it means when the installer would change something here. */
  readonly severity: 'fault' | 'warning'
  readonly matters: string
  /** The step alone puts it right, and nothing is lost by it. */
  readonly isMended?: true
}

const INIT = toType('init')

/** What the installer would do is what is wrong: the doctor can't see things otherwise than it. */
function surveyCheck(
  plan: () => Promise<Plan>,
  { step, title, severity, matters, isMended }: SurveyCheck,
): Check<never> {
  return {
    id: `cloudflare-${step}`,
    about: 'Cloudflare',
    title,
    cost: 'look',
    async look() {
      const finding = (await plan()).items.find(({ id }) => id === step)?.finding
      const mend = isMended ? { mend: { is: 'steps', ids: [step] } as const } : {}
      return finding ? judge(finding, { severity, matters, next: INIT, ...mend }) : []
    },
  }
}

/** `trouble`: what it is called when there is something to change. */
function judge(
  finding: Finding,
  trouble: Omit<Extract<Verdict, { next: Text }>, 'saw'>,
): Verdict[] {
  switch (finding.is) {
    case 'ready':
      if (finding.facts?.domainActive?.untold) return [untold(finding.note)]
      return [{ severity: 'ok', saw: finding.note }, ...(finding.warnings ?? []).map(warned)]
    case 'later':
      return [{ severity: 'ok', saw: finding.note }, ...(finding.warnings ?? []).map(warned)]
    case 'waiting':
      return [{ severity: 'skipped', saw: 'not looked at: init has something to do before it' }]
    case 'blocked':
      return [blocked(finding)]
    case 'change': {
      const saw = `init would ${finding.changes.map(({ what }) => what).join('; ')}.`
      return [{ saw, ...trouble }, ...(finding.warnings ?? []).map(warned)]
    }
  }
}

function untold(saw: Text): Verdict {
  return {
    severity: 'note',
    saw: prose`${saw}.`,
    matters: "Its own look-up fails for a moment now and then; visitors don't notice.",
    next: prose`Ask again in some minutes: ${toType('check')}`,
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

function warned(saw: Text): Verdict {
  return {
    severity: 'warning',
    saw,
    matters: "The installer leaves this as it is, because it can't know what you want.",
    next: 'Look at the bucket at https://dash.cloudflare.com/?to=/:account/r2',
  }
}

/** The zone of the media host: active, not paused, in the bucket's account. */
function zoneCheck({ setup }: Pick<World, 'setup'>): Check<never> {
  return {
    id: 'cloudflare-zone',
    about: 'Cloudflare',
    title: 'Zone',
    cost: 'look',
    async look() {
      const problem = unfitZone(setup.zone, setup.at.accountId)
      if (problem) return [troubleOf(problem)]
      return [{ severity: 'ok', saw: `${setup.zone.name} is active` }]
    },
  }
}

const surveyed: readonly SurveyCheck[] = [
  {
    step: 'bucket',
    title: 'Bucket at Cloudflare',
    severity: 'fault',
    matters: 'The bucket is not there, so there is no place for uploads.',
  },
  {
    step: 'media-domain',
    title: 'Custom domain',
    severity: 'fault',
    matters: "Visitors can't load media until the host serves the bucket.",
  },
  {
    step: 'cors',
    title: 'CORS rule',
    severity: 'fault',
    matters:
      'Without it audio never plays, and images fail on reload (Mastodon 4.2 and newer): browsers block them.',
    isMended: true,
  },
  {
    step: 'lifecycle',
    title: 'Lifecycle rule',
    severity: 'warning',
    matters: 'Uploads that broke off would be stored, and paid for, without end.',
    isMended: true,
  },
  {
    step: 'dev-url',
    title: 'r2.dev address',
    severity: 'warning',
    matters:
      'It is a second way to every file: throttled, not cached, and past all rules of your domain.',
    isMended: true,
  },
  {
    step: 'key-in-use',
    title: 'Name of the key',
    severity: 'warning',
    matters: 'Its name still says that the setup did not finish.',
    isMended: true,
  },
]

/**
 * What Cloudflare's API tells about the setup. `world` is the installer's; `plan` is what it would
 * do there, looked at once.
 */
export function cloudflareChecks(world: World, plan: () => Promise<Plan>): readonly Check[] {
  const find = sharedLook((_: undefined) => findKeyInUse(world))
  const key = () => find(undefined)
  return [
    zoneCheck(world),
    ...surveyed.map((check) => surveyCheck(plan, check)),
    edgeRulesCheck(world),
    keyRightsCheck(key, world),
    keyExpiryCheck(key, world),
    extraKeysCheck(world),
  ]
}

/** Stands for all checks of Cloudflare's side when there is no token, or one that is no good. */
export function unasked(problem: Problem | undefined): Check<never> {
  return {
    id: 'cloudflare-token',
    about: 'Cloudflare',
    title: 'API token',
    cost: 'look',
    async look() {
      if (problem) return [troubleOf(problem, { severity: 'warning' })]
      const saw =
        "no API token was given; with CLOUDFLARE_API_TOKEN or --api-token-file, Cloudflare's side is looked at, too"
      return [{ severity: 'skipped', saw }]
    },
  }
}
