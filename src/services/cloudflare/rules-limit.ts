import { Problem } from '../../core/problem.ts'
import { Refusal } from './refusal.ts'
import type { RulePhase } from './rules-port.ts'

interface Kind {
  readonly name: string
  /** The limit on the Free plan, from Cloudflare's docs. */
  readonly free: string
  readonly dashboard: string
}

const ZONE_RULES = 'https://dash.cloudflare.com/?to=/:account/:zone/rules/overview'

const kinds: Readonly<Record<RulePhase, Kind>> = {
  http_request_dynamic_redirect: {
    name: 'single redirects',
    free: '10 in a zone',
    dashboard: ZONE_RULES,
  },
  http_response_headers_transform: {
    name: 'response header rules',
    free: '10 in a zone',
    dashboard: ZONE_RULES,
  },
  http_request_cache_settings: { name: 'cache rules', free: '10 in a zone', dashboard: ZONE_RULES },
  http_request_firewall_custom: {
    name: 'WAF custom rules',
    free: '5 in a zone',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/:zone/security/security-rules',
  },
  http_request_redirect: {
    name: 'bulk redirect rules',
    free: '15 in an account',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/bulk-redirects',
  },
}

/** Says what a plan's limit means where a refusal is about one. */
export async function withinPlan<T>(phase: RulePhase, send: () => Promise<T>): Promise<T> {
  return saidAs(send, kinds[phase])
}

/** The same for lists and what is in them. */
export async function withinListLimits<T>(send: () => Promise<T>): Promise<T> {
  return saidAs(send, {
    name: 'redirect lists, or URL redirects in them,',
    free: '5 lists and 10,000 URL redirects in an account',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/configurations/lists',
  })
}

/** The numbers of these refusals are not published, so Cloudflare's words decide. */
const TOO_MANY = /exceed|maximum|quota|too many|limit/i
const NOT_IN_PLAN =
  /not entitled|entitlement|not available (on|for|in) your plan|upgrade your plan/i

async function saidAs<T>(send: () => Promise<T>, kind: Kind): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Refusal) || !isAboutPlan(error)) throw error
    throw NOT_IN_PLAN.test(error.said) ? notInPlan(kind, error) : limitReached(kind, error)
  }
}

function isAboutPlan({ status, said }: Refusal): boolean {
  const refused = [400, 402, 403, 409, 422].includes(status)
  return refused && (TOO_MANY.test(said) || NOT_IN_PLAN.test(said))
}

function limitReached({ name, free, dashboard }: Kind, cause: Refusal): Problem {
  return new Problem(
    {
      code: 'cloudflare-plan-limit',
      what: `There are as many ${name} as the plan allows.`,
      why: `The Free plan has ${free}; bigger plans have more. ${cause.why}`,
      next: `Delete one that is not needed at ${dashboard}, and run this again. Nothing of what is there was touched.`,
    },
    { cause },
  )
}

function notInPlan({ name, dashboard }: Kind, cause: Refusal): Problem {
  return new Problem(
    {
      code: 'cloudflare-not-in-plan',
      what: `The plan does not include something that is needed for ${name}.`,
      why: cause.why,
      next: `Look at ${dashboard} what the plan offers, or leave this part out.`,
    },
    { cause },
  )
}
