import type { BasePhases } from 'cloudflare/resources/rulesets/phases'
import type { RuleCreateParams, RuleEditParams } from 'cloudflare/resources/rulesets/rules'
import { Problem } from '../../core/problem.ts'
import { type Call, createAndLook } from './call.ts'
import type {
  CloudflarePort,
  NewRule,
  Permission,
  PermissionScope,
  Rule,
  RulePermission,
  RulePhase,
  RulePlace,
  RulesPort,
} from './port.ts'
import { Refusal, withinPlan } from './refusal.ts'
import { listOfObjects } from './wire.ts'

/**
 * "could not find entrypoint ruleset", with 404: the phase has no rules yet, and the token may look.
 * No other refusal means that there is nothing.
 */
export const NO_RULES_YET = 10003

const zonePhases = {
  'single-redirects': 'http_request_dynamic_redirect',
  'response-headers': 'http_response_headers_transform',
  'cache-rules': 'http_request_cache_settings',
  'custom-rules': 'http_request_firewall_custom',
} as const satisfies Partial<Record<RulePermission, RulePhase>>

const others: readonly string[] = ['bulk-redirects', 'redirect-lists', 'zone-settings']

export function isRulePermission(permission: Permission): permission is RulePermission {
  return permission in zonePhases || others.includes(permission)
}

/** The cheapest read that the permission covers; throws its refusal. Zones: `zoneId` is needed. */
export async function lookAtRules(
  call: Call,
  permission: RulePermission,
  { accountId, zoneId = '' }: { accountId: string; zoneId?: PermissionScope['zoneId'] | undefined },
): Promise<void> {
  const account_id = accountId
  const zone_id = zoneId
  await call('repeatable', async (sdk): Promise<unknown> => {
    switch (permission) {
      case 'redirect-lists':
        return await sdk.rules.lists.list({ account_id })
      case 'bulk-redirects':
        return await sdk.rulesets.phases.get('http_request_redirect', { account_id })
      case 'zone-settings':
        return await sdk.cache.smartTieredCache.get({ zone_id })
      default:
        return await sdk.rulesets.phases.get(zonePhases[permission], { zone_id })
    }
  })
}

interface Ruleset {
  readonly id: string
  readonly rules: readonly Rule[]
}

/**
 * Rules one by one: others' rules are neither sent back nor moved. Only where a phase has no ruleset
 * yet it is put as a whole, with ours as its one rule.
 */
export function rules(
  call: Call,
): Pick<RulesPort, 'listRules' | 'addRule' | 'changeRule' | 'removeRule'> {
  async function find(at: RulePlace, phase: RulePhase): Promise<Ruleset | undefined> {
    try {
      return describe(
        await call('repeatable', (sdk) => sdk.rulesets.phases.get(phase, placeOf(at))),
      )
    } catch (error) {
      if (error instanceof Refusal && isNoRulesYet(error)) return undefined
      throw error
    }
  }

  async function create(at: RulePlace, phase: RulePhase, rule: NewRule): Promise<unknown> {
    const place = placeOf(at)
    const ruleset = await find(at, phase)
    const known = ruleset?.rules.find(({ ref }) => ref === rule.ref)
    if (known) return change(at, phase, known.id, rule)
    if (ruleset === undefined) {
      const body = { ...place, rules: [sent(rule)] } as Parameters<BasePhases['update']>[1]
      return call<unknown>('create', (sdk) => sdk.rulesets.phases.update(phase, body))
    }
    const body = { ...place, ...sent(rule) } as RuleCreateParams
    return call<unknown>('create', (sdk) => sdk.rulesets.rules.create(ruleset.id, body))
  }

  async function change(at: RulePlace, phase: RulePhase, id: string, rule: NewRule) {
    const ruleset = await find(at, phase)
    if (!ruleset?.rules.some((known) => known.id === id)) throw gone(rule)
    const body = { ...placeOf(at), ...sent(rule), ruleset_id: ruleset.id } as RuleEditParams
    await call<unknown>('repeatable', (sdk) => sdk.rulesets.rules.edit(id, body))
  }

  async function listRules(at: RulePlace, phase: RulePhase): Promise<readonly Rule[]> {
    return (await find(at, phase))?.rules ?? []
  }

  return {
    listRules,

    /** A rule with the same ref is changed instead of made a second time. */
    async addRule(at, phase, rule) {
      const isThere = async () =>
        (await listRules(at, phase)).some((known) => known.ref === rule.ref)
      await withinPlan(phase, () =>
        createAndLook({ create: () => create(at, phase, rule), isThere }),
      )
    },

    async changeRule(at, phase, id, rule) {
      await withinPlan(phase, () => change(at, phase, id, rule))
    },

    async removeRule(at, phase, id) {
      const ruleset = await find(at, phase)
      if (!ruleset?.rules.some((known) => known.id === id)) return
      const place = { ...placeOf(at), ruleset_id: ruleset.id }
      try {
        await call<unknown>('repeatable', (sdk) => sdk.rulesets.rules.delete(id, place))
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) throw error
      }
    },
  }
}

function isNoRulesYet({ status, numbers }: Refusal): boolean {
  return status === 404 && numbers.includes(NO_RULES_YET)
}

function placeOf(at: RulePlace) {
  return at.kind === 'zone' ? { zone_id: at.zoneId } : { account_id: at.accountId }
}

function sent({ ref, description, expression, action, parameters, enabled }: NewRule) {
  const action_parameters = parameters === undefined ? {} : { action_parameters: parameters }
  return { ref, description, expression, action, ...action_parameters, enabled }
}

/** A ruleset without rules may come without the list. */
function describe({ id, rules: all }: { id: string; rules?: unknown }): Ruleset {
  const rules = listOfObjects(all).map((rule) => {
    const { id: ruleId, ref, description, expression, action, action_parameters, enabled } = rule
    return {
      id: text(ruleId),
      ref: typeof ref === 'string' ? ref : undefined,
      description: text(description),
      expression: text(expression),
      action: text(action),
      ...(typeof action_parameters === 'object' && action_parameters !== null
        ? { parameters: action_parameters as Record<string, unknown> }
        : {}),
      enabled: enabled !== false,
    }
  })
  return { id, rules }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function gone({ description }: NewRule): Problem {
  return new Problem({
    code: 'cloudflare-rule-gone',
    what: 'A rule at Cloudflare is not there any more.',
    why: `"${description}" was removed while this run was under way.`,
    next: 'Run this again: it looks first, and makes the rule anew.',
  })
}

/** A change of a list: what of it is still to be done, and how that is asked for. */
export interface ListChange<Wish> {
  left(): Promise<readonly Wish[]>
  /** Returns the id of the operation that Cloudflare began. */
  send(wishes: readonly Wish[]): Promise<string>
}

export type Operations = ReturnType<typeof operations>

/** Milliseconds. */
const PAUSE = 1_000
const BUSY_PAUSE = 5_000
const DEADLINE = 10 * 60_000

/**
 * Changes of lists run at Cloudflare by themselves, one at a time in an account (another one is
 * refused with 429). They are waited for: ten minutes altogether.
 */
export function operations(call: Call, sleep: (ms: number) => Promise<void>) {
  /** Undefined when it is done, else Cloudflare's word for what went wrong. */
  async function outcomeOf(accountId: string, id: string, wait: Wait): Promise<string | undefined> {
    for (;;) {
      const told = await call('repeatable', (sdk) =>
        sdk.rules.lists.bulkOperations.get(id, { account_id: accountId }),
      )
      if (told.status === 'completed') return undefined
      if (told.status === 'failed') return told.error || 'no reason given'
      await wait(PAUSE)
    }
  }

  return {
    /**
     * Looks, asks for what is left and waits until it is done. An answer that got lost and a failure
     * are looked into: when nothing is left, all is well. Throws Problem `cloudflare-list-busy`,
     * `cloudflare-list-refused`.
     */
    async carryOut<Wish>(accountId: string, { left, send }: ListChange<Wish>): Promise<void> {
      const wait = createWait(sleep)
      let failure: string | undefined
      for (;;) {
        const wishes = await left()
        if (wishes.length === 0) return
        if (failure !== undefined) throw refused(failure)
        try {
          failure = await outcomeOf(accountId, await send(wishes), wait)
          if (failure === undefined) return
        } catch (error) {
          if (!(error instanceof Problem) || !isPassing(error)) throw error
          await wait(BUSY_PAUSE)
        }
      }
    },
  }
}

type Wait = (ms: number) => Promise<void>

/** Sleeps; throws once it has slept for as long as all of this may take. */
function createWait(sleep: (ms: number) => Promise<void>): Wait {
  let slept = 0
  return async (ms) => {
    if (slept >= DEADLINE) throw busy()
    slept += ms
    await sleep(ms)
  }
}

function isPassing(error: Problem): boolean {
  return (
    error.code === 'cloudflare-answer-lost' || (error instanceof Refusal && error.status === 429)
  )
}

function busy(): Problem {
  return new Problem({
    code: 'cloudflare-list-busy',
    what: 'Cloudflare is still busy with a change of a list.',
    why: 'Only one runs in an account at a time, and it was waited for over ten minutes.',
    next: 'Look at https://dash.cloudflare.com/?to=/:account/configurations/lists, and run this again later: it goes on from what it finds.',
  })
}

function refused(said: string): Problem {
  return new Problem({
    code: 'cloudflare-list-refused',
    what: 'Cloudflare did not carry out a change of a redirect list.',
    why: `It says: ${said.replaceAll(/[\p{C}\s]+/gu, ' ').slice(0, 400)}.`,
    next: 'Look at the list at https://dash.cloudflare.com/?to=/:account/configurations/lists: a source URL can be in it once only. Then run this again.',
  })
}

/** Tiered Cache, and the smart choice of its upper tier: one is nothing without the other. */
export function tieredCache(call: Call): Pick<RulesPort, 'isTieredCacheOn' | 'setTieredCache'> {
  return {
    async isTieredCacheOn(zoneId) {
      const at = { zone_id: zoneId }
      const [tiered, smart] = await Promise.all([
        call('repeatable', (sdk) => sdk.argo.tieredCaching.get(at)),
        call('repeatable', (sdk) => sdk.cache.smartTieredCache.get(at)),
      ])
      return tiered.value === 'on' && smart.value === 'on'
    },

    async setTieredCache(zoneId, on) {
      const at = { zone_id: zoneId, value: on ? ('on' as const) : ('off' as const) }
      const switches = [
        () => call<unknown>('repeatable', (sdk) => sdk.argo.tieredCaching.edit(at)),
        () => call<unknown>('repeatable', (sdk) => sdk.cache.smartTieredCache.edit(at)),
      ]
      for (const turn of on ? switches : switches.reverse()) await turn()
    },
  }
}

/** Addresses or prefixes of one call (Cloudflare docs, cache/how-to/purge-cache, for all but Enterprise). */
const AT_ONCE = 30

/** Sent again where need be: what is gone from the cache twice is gone. */
export function edgeCache(call: Call): Pick<CloudflarePort, 'purgeUrls' | 'purgePrefixes'> {
  return {
    async purgeUrls(zoneId, urls, origin) {
      for (const some of parted(urls)) {
        const files =
          origin === undefined ? some : some.map((url) => ({ url, headers: { Origin: origin } }))
        await call('repeatable', (sdk) => sdk.cache.purge({ zone_id: zoneId, files } as Purge))
      }
    },

    async purgePrefixes(zoneId, prefixes) {
      for (const some of parted(prefixes)) {
        await call('repeatable', (sdk) => sdk.cache.purge({ zone_id: zoneId, prefixes: some }))
      }
    },
  }
}

type Purge = Parameters<Parameters<Parameters<Call>[1]>[0]['cache']['purge']>[0]

function parted(all: readonly string[]): string[][] {
  const count = Math.ceil(all.length / AT_ONCE)
  return Array.from({ length: count }, (_, at) => all.slice(at * AT_ONCE, (at + 1) * AT_ONCE))
}
