import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import {
  type NewRule,
  permissionNames,
  type Rule,
  type RulePlace,
  type Zone,
} from '../services/cloudflare/port.ts'
import { isSameRule } from '../setup/edge-rules.ts'
import { ledAlready, ledFault, proveRedirect } from './known-media.ts'
import { granted, type OldPrefix, prefixMark, prefixName, type Redirecting } from './redirecting.ts'

export const SINGLE_PHASE = 'http_request_dynamic_redirect'

/** Redirect rules that the Free plan has in a zone (Cloudflare docs, rules: single redirects). */
const FREE_RULES = 10

const REF = 'mastodon-r2-redirect-'

/** In the note of one that was not made, as it is there. */
export const OF_OTHERS = 'by another rule; nothing is added'

/** The rule for one prefix; its ref comes from the prefix, so that it is found again. */
export function singleRule(prefix: OldPrefix, mediaHost: string, status: 301 | 302): NewRule {
  const { host, path } = prefix
  const starts = path === '/' ? '' : ` and starts_with(http.request.uri.path, "${path}")`
  const rest = `substring(http.request.uri.path, ${path.length})`
  return {
    ref: `${REF}${prefixMark(prefix)}`,
    description: `mastodon-r2: ${prefixName(prefix)} to ${mediaHost}`,
    expression: `http.host eq "${host}"${starts}`,
    action: 'redirect',
    parameters: {
      from_value: {
        target_url: { expression: `concat("https://${mediaHost}/", ${rest})` },
        status_code: status,
        preserve_query_string: true,
      },
    },
    enabled: true,
  }
}

/** Made by this tool for this media host; another Mastodon may have its own in the same zone. */
export function isOurSingle({ ref, parameters }: Rule, mediaHost: string): boolean {
  const target = JSON.stringify(parameters ?? {})
  return ref?.startsWith(REF) === true && target.includes(`https://${mediaHost}/`)
}

export function zoneOf(zoneId: string): RulePlace {
  return { kind: 'zone', zoneId }
}

type Needs = 'cloudflare' | 'web' | 'connectS3' | 'clock' | 'place'
type At = Pick<World, Needs>

/**
 * One rule of the zone for one prefix. It begins with 302, is proven by known files, and becomes
 * permanent only then; a rule that can't be proven is taken back.
 */
export function singleRedirect(
  redirecting: Redirecting,
  prefix: OldPrefix,
  zone: Pick<Zone, 'id' | 'name'>,
): Step<Needs> {
  const { mediaHost, status } = redirecting
  const place = zoneOf(zone.id)
  const [first, last] = [
    singleRule(prefix, mediaHost, 302),
    singleRule(prefix, mediaHost, status),
  ] as const
  /** How Cloudflare writes down what it took from this run does not matter. */
  let taken: NewRule | undefined

  const rulesOf = ({ cloudflare }: At) =>
    granted(
      [permissionNames['single-redirects']],
      () => cloudflare.listRules(place, SINGLE_PHASE),
      redirecting,
    )
  const oursIn = (rules: readonly Rule[]) => rules.find(({ ref }) => ref === last.ref)
  const is = (rule: Rule, wanted: NewRule) =>
    isSameRule(rule, wanted) || (taken === wanted && rule.enabled)

  const isMade = (ours: Rule | undefined) =>
    ours !== undefined && (is(ours, last) || is(ours, first))

  async function put({ cloudflare }: At, ours: Rule | undefined, rule: NewRule): Promise<void> {
    await granted(
      [permissionNames['single-redirects']],
      () =>
        ours
          ? cloudflare.changeRule(place, SINGLE_PHASE, ours.id, rule)
          : cloudflare.addRule(place, SINGLE_PHASE, rule),
      redirecting,
    )
    taken = rule
  }

  /** As it was before this run; what can't be taken back is said. */
  async function takeBack(at: At, before: Rule | undefined): Promise<boolean> {
    try {
      const ours = oursIn(await rulesOf(at))
      if (!ours) return true
      if (before) await put(at, ours, { ...before, ref: last.ref })
      else await at.cloudflare.removeRule(place, SINGLE_PHASE, ours.id)
      return true
    } catch (error) {
      if (error instanceof Problem) return false
      throw error
    }
  }

  return {
    id: `single-redirect:${prefixName(prefix)}`,
    title: `Redirect ${prefixName(prefix)}`,

    async look(at): Promise<Finding> {
      const rules = await rulesOf(at)
      const ours = oursIn(rules)
      const already = ours ? undefined : await ledAlready(at, redirecting, prefix)
      if (already !== undefined) {
        const note = `leads to https://${mediaHost}/ with ${already} already, ${OF_OTHERS}`
        return { is: 'ready', note }
      }
      const fault = ours && is(ours, last) ? await ledFault(at, redirecting, prefix, status) : ''
      if (fault === undefined) {
        return { is: 'ready', note: `leads to https://${mediaHost}/ with ${status}, seen` }
      }
      const problem = isMade(ours) ? undefined : await redirecting.notYet?.()
      if (problem) return { is: 'blocked', problem }
      const what = whatOf(ours, fault)
      const others = rules.filter((rule) => rule !== ours).length
      const warnings = !ours && others >= FREE_RULES ? [isFull(zone.name, others, redirecting)] : []
      return { is: 'change', changes: [{ what, risk: 'public' }], warnings }
    },

    async change(at) {
      const before = oursIn(await rulesOf(at))
      const problem =
        (await redirecting.known.fault(at)) ??
        (isMade(before) ? undefined : await redirecting.notYet?.())
      if (problem) throw problem
      const isLast = before !== undefined && is(before, last)
      if (!isMade(before)) await put(at, before, first)
      try {
        await proveRedirect(at, redirecting, prefix, isLast ? status : 302)
      } catch (error) {
        if (!(error instanceof Problem) || isLast) throw error
        throw withEnd(error, await takeBack(at, before), redirecting)
      }
      if (isLast || status === 302) return {}
      await put(at, oursIn(await rulesOf(at)), last)
      await proveRedirect(at, redirecting, prefix, status)
      return {}
    },
  }

  function whatOf(ours: Rule | undefined, fault: string): string {
    if (ours && fault !== '') return `see again whether it works; just now: ${fault}`
    const to = `lead https://${prefixName(prefix)}... to https://${mediaHost}/...`
    if (ours && is(ours, first)) return `${to}: from 302 to ${status}, as it works`
    const how = status === 302 ? 'by 302' : 'by 302 first, by 301 once that is seen to work'
    return `${ours ? 'renew: ' : ''}${to} (a rule of the zone ${zone.name}), ${how}`
  }
}

function isFull(zone: string, others: number, { ruleOnly }: Redirecting): string {
  const instead = ruleOnly ? 'remove one of them' : 'use --via bulk'
  return `The zone ${zone} has ${others} redirect rules already; the Free plan has ${FREE_RULES}. If Cloudflare refuses one more, ${instead}.`
}

function withEnd(problem: Problem, isBack: boolean, { ruleOnly }: Redirecting): Problem {
  const { code, what, why, next, exit } = problem
  const end = isBack
    ? 'The redirect was taken back.'
    : prose`The redirect could not be taken back, and is still there: ${ruleOnly?.remove ?? toType('redirects', { remove: true })}`
  return new Problem({ code, what, why: prose`${why} ${end}`, next, exit }, { cause: problem })
}
