import { Problem } from '../core/problem.ts'
import { classOf } from '../plan/report-schema.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { granted, newUrl } from '../redirects/redirecting.ts'
import { SINGLE_PHASE, singleRule, zoneOf } from '../redirects/single.ts'
import {
  type CloudflarePort,
  permissionNames,
  type Rule,
  type Zone,
} from '../services/cloudflare/port.ts'
import { isSameRule } from '../setup/edge-rules.ts'
import type { Leaving } from './leaving.ts'

type OfZone = Pick<Zone, 'id' | 'name'>
type Needs = 'cloudflare' | 'web' | 'clock'
type At = Pick<World, Needs>

/** How the note ends once a file was seen to come from R2. */
export const BY_BUCKET = 'comes from the bucket again'

/**
 * The rule by which the media host of R2 leads elsewhere goes, wherever it leads; what answers then is
 * seen. Problems: those of `refuseChanged`, `redirect-permission`.
 */
export function takeBackRedirect(
  leaving: Pick<Leaving, 'bucket' | 'signal'>,
  mediaHost: string,
  zone: OfZone,
): Step<Needs> {
  let answer: string | undefined
  return {
    id: 'take-back-redirect',
    title: `Redirect of ${mediaHost}`,

    async look({ cloudflare }): Promise<Finding> {
      const { ours, changed } = await rulesOf(cloudflare, mediaHost, zone)
      if (changed) return { is: 'blocked', problem: ruleChanged(changed, mediaHost, zone) }
      if (ours) {
        const off = ours.enabled ? '' : ' (switched off)'
        const what = `remove the rule "${ours.description}" of the zone ${zone.name}${off}, by which https://${mediaHost}/... leads to https://${baseOf(ours)}/...`
        return { is: 'change', changes: [{ what, risk: 'public' }] }
      }
      if (answer !== undefined) return { is: 'ready', note: `the rule is gone; ${answer}` }
      const note = `no rule of this program redirects ${mediaHost} in the zone ${zone.name}`
      return { is: 'ready', note }
    },

    async change(at) {
      const { ours, changed } = await rulesOf(at.cloudflare, mediaHost, zone)
      if (changed) throw ruleChanged(changed, mediaHost, zone)
      if (ours) {
        await ofRules(() => at.cloudflare.removeRule(zoneOf(zone.id), SINGLE_PHASE, ours.id))
        answer = await answering(at, leaving, { mediaHost, base: baseOf(ours) ?? '' })
      }
      return {}
    },
  }
}

/** Before the rule is made: one with its ref that does something else is left alone. Problem `leave-rule-changed`. */
export async function refuseChanged(
  { cloudflare }: Pick<World, 'cloudflare'>,
  mediaHost: string,
  zone: OfZone,
): Promise<void> {
  const { changed } = await rulesOf(cloudflare, mediaHost, zone)
  if (changed) throw ruleChanged(changed, mediaHost, zone)
}

/** The rule with our ref: as it was made, or as somebody has changed it since. */
async function rulesOf(cloudflare: CloudflarePort, mediaHost: string, zone: OfZone) {
  const prefix = { host: mediaHost, path: '/' }
  const { ref } = singleRule(prefix, '', 302)
  const rules = await ofRules(() => cloudflare.listRules(zoneOf(zone.id), SINGLE_PHASE))
  const found = rules.filter((rule) => rule.ref === ref)
  const isAsMade = (rule: Rule) => {
    const base = baseOf(rule)
    const wanted = base === undefined ? undefined : singleRule(prefix, base, 302)
    return wanted !== undefined && isSameRule(rule, { ...wanted, enabled: rule.enabled })
  }
  return { ours: found.find(isAsMade), changed: found.find((rule) => !isAsMade(rule)) }
}

function ofRules<T>(call: () => Promise<T>): Promise<T> {
  return granted([permissionNames['single-redirects']], call, { ruleOnly: { remove: '' } })
}

/** Where addresses begin that it leads to, without scheme; undefined where it is none of our making. */
function baseOf({ parameters }: Rule): string | undefined {
  const { expression } = targetOf(parameters)
  return /^concat\("https:\/\/([^"]+)\/",/.exec(expression ?? '')?.[1]
}

function targetOf(parameters: Rule['parameters']): { readonly expression?: string } {
  const value = parameters?.from_value as { target_url?: { expression?: string } } | undefined
  return value?.target_url ?? {}
}

/** Rules reach every place within seconds (Cloudflare docs); a minute for a slow day. */
const SPREAD_MS = 60_000
const PAUSE_MS = 2_000

/** What visitors get from the media host, seen by a file of the bucket. */
async function answering(
  { web, clock }: At,
  leaving: Pick<Leaving, 'bucket' | 'signal'>,
  { mediaHost, base }: { readonly mediaHost: string; readonly base: string },
): Promise<string> {
  const unseen = 'what answers now was not seen'
  const end = clock.now().getTime() + SPREAD_MS
  try {
    const key = await publicKey(leaving)
    if (key === undefined) return `${unseen}, as the bucket has no file to ask for`
    const url = newUrl(mediaHost, key)
    for (;;) {
      const { status, header } = await web.fetch(url, { method: 'HEAD' })
      const [to] = header('location')
      if (status === 200) return `${url} ${BY_BUCKET}`
      const isOld = to?.startsWith(`https://${base}/`) === true
      if (isOld && clock.now().getTime() < end) await clock.sleep(PAUSE_MS)
      else return `${url} ${to === undefined ? `gives status ${status}` : `still leads to ${to}`}`
    }
  } catch (error) {
    if (error instanceof Problem) return `${unseen}: ${error.what}`
    throw error
  }
}

/** Files that are looked through for one that everyone may see. */
const SAMPLED = 1000

async function publicKey({ bucket }: Pick<Leaving, 'bucket'>): Promise<string | undefined> {
  const keys = await bucket().list('', SAMPLED)
  const isPlain = (key: string) => /^[\w./-]+$/.test(key) && key.includes('/')
  return keys.find((key) => isPlain(key) && classOf(key).private !== true)
}

function ruleChanged(rule: Rule, mediaHost: string, zone: OfZone): Problem {
  const { expression } = targetOf(rule.parameters)
  const target = expression === undefined ? '' : `, to ${expression}`
  return new Problem({
    code: 'leave-rule-changed',
    what: `The rule "${rule.description}" of the zone ${zone.name} is not as this program makes it.`,
    why: `It bears the mark of the redirect of ${mediaHost}, and does this: ${rule.action} where ${rule.expression}${target}. Somebody has changed it, so it stays as it is.`,
    next: `Look at it at Cloudflare (the zone's Rules, Redirect Rules). If nobody needs it, remove it there, and run this again.`,
  })
}
