import { duration } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Change, Finding, Step, World } from '../plan/step.ts'
import type { BucketRef, CustomDomain, DnsRecord, Zone } from '../services/cloudflare/port.ts'
import { Refusal } from '../services/cloudflare/refusal.ts'
import { domainFailed, hasFailed } from './domain-failed.ts'
import {
  attachedElsewhere,
  findHostOwner,
  isR2Record,
  mostBuckets,
  nameOf,
  ownedByNone,
  whereToDetach,
} from './host-owner.ts'
import { topFault } from './public-read.ts'
import { type Redirected, stays, type Undo } from './undoing.ts'

type Needs = 'cloudflare' | 'setup' | 'clock' | 'web' | 'place'
type At = Pick<World, Needs>

/** The custom domain that serves the bucket's objects: attached, enabled, ownership and TLS active. */
export const mediaDomain: Step<Needs> = {
  id: 'media-domain',
  title: 'Custom domain',
  standsAlone: () => true,

  async look(at): Promise<Finding> {
    const { setup } = at
    const { mediaHost, zone } = setup
    const zoneProblem = unfitZone(zone, setup.at.accountId)
    if (zoneProblem) return { is: 'blocked', problem: zoneProblem }
    const warnings = zone.type === 'partial' ? [partialZone(zone)] : []
    const asking = whatIsThere(at)
    // Asked beside the domain, and of no interest once that is attached.
    asking.catch(() => undefined)
    const domain = await stateOf(at)
    if (domain === undefined) {
      const finding = await notAttached(at, await asking)
      return finding.is === 'blocked' ? finding : { ...finding, warnings }
    }
    if (isActive(domain)) return { ...active(mediaHost, false), warnings }
    if (domain.enabled && isUntold(domain) && (await topFault(at)) === undefined) {
      const note = `https://${mediaHost} answers; Cloudflare does not tell its state now`
      return {
        is: 'ready',
        note,
        warnings,
        facts: { domainActive: { attached: false, untold: true } },
      }
    }
    const wait = waitFor(setup)
    const enable: Change = { what: `switch ${mediaHost} on for the bucket`, risk: 'public' }
    return { is: 'change', changes: domain.enabled ? [wait] : [enable, wait], warnings }
  },

  async change({ cloudflare, setup }, { unattached } = {}) {
    const { at, mediaHost } = setup
    const domain = unattached ? undefined : await cloudflare.findCustomDomain(at, mediaHost)
    if (domain === undefined) await attach({ cloudflare, setup })
    else if (!domain.enabled) await cloudflare.enableCustomDomain(at, mediaHost)
    return {}
  },

  async confirm(at, tell): Promise<Finding> {
    const { cloudflare, setup, clock } = at
    const start = clock.now().getTime()
    let failedAt: number | undefined
    for (;;) {
      const asked = clock.now().getTime()
      const domain = await cloudflare.findCustomDomain(setup.at, setup.mediaHost)
      if (domain && isActive(domain)) return active(setup.mediaHost, true)
      const waited = clock.now().getTime() - start
      if (domain?.ownership === 'blocked') return { is: 'blocked', problem: hostBlocked(setup) }
      failedAt = domain && hasFailed(domain) ? (failedAt ?? waited) : undefined
      if (domain && failedAt !== undefined && waited - failedAt >= BELIEVED_MS) {
        return { is: 'blocked', problem: await domainFailed(at, domain) }
      }
      if (waited >= setup.waitDomainMs) return { is: 'blocked', problem: tooSlow(setup, domain) }
      tell(`${state(domain)} (${usually(setup)})`)
      await clock.sleep(Math.max(asked + pollEvery(waited) - clock.now().getTime(), 0))
    }
  },
}

/** A state of before, seen right after a change, is gone by then; milliseconds. */
const BELIEVED_MS = 5_000

/** Milliseconds between the looks at a state that Cloudflare did not tell, and how many there are. */
const UNTOLD_PAUSE_MS = 2_000
const UNTOLD_LOOKS = 3

/** As Cloudflare tells it; asked again where its own look-up failed. */
async function stateOf({ cloudflare, setup, clock }: At): Promise<CustomDomain | undefined> {
  for (let look = 1; ; look++) {
    const domain = await cloudflare.findCustomDomain(setup.at, setup.mediaHost)
    if (!domain || !isUntold(domain) || look === UNTOLD_LOOKS) return domain
    await clock.sleep(UNTOLD_PAUSE_MS)
  }
}

/** Both states unknown is a passing failure of Cloudflare's own look-up. */
function isUntold({ ownership, ssl }: CustomDomain): boolean {
  return ownership === 'unknown' && ssl === 'unknown'
}

/**
 * Milliseconds from one question to the next: a wait gets longer by no more than some hundredths, be it
 * seconds or minutes, and Cloudflare, which counts every call (1200 in five minutes), is asked some
 * 370 times in the first five.
 */
function pollEvery(waited: number): number {
  return Math.min(Math.max(waited / 80, 100), 5_000)
}

function isActive(domain: CustomDomain): boolean {
  return domain.enabled && domain.ownership === 'active' && domain.ssl === 'active'
}

function active(host: string, attached: boolean): Extract<Finding, { is: 'ready' }> {
  const note = `https://${host} is active`
  return { is: 'ready', note, facts: { domainActive: { attached } } }
}

function waitFor(setup: At['setup']): Change {
  return { what: `wait until ${setup.mediaHost} is active: ${usually(setup)}`, risk: 'safe' }
}

/** How long it takes by Cloudflare's word, and how long this waits. */
function usually({ waitDomainMs }: At['setup']): string {
  return `some minutes mostly, at most ${duration(waitDomainMs)}`
}

function state(domain: CustomDomain | undefined): string {
  if (!domain || isUntold(domain)) {
    return 'Cloudflare does not tell the state yet'
  }
  return `ownership ${domain.ownership}, certificate ${domain.ssl}`
}

/** A refusal may come of a bucket that has the name attached without any record: it is asked for. */
async function attach({ cloudflare, setup }: Pick<World, 'cloudflare' | 'setup'>): Promise<void> {
  const { at, mediaHost, zone } = setup
  try {
    await cloudflare.attachCustomDomain(at, mediaHost, zone.id)
  } catch (error) {
    if (!(error instanceof Refusal) || error.isForbidden) throw error
    const { owner } = await findHostOwner(cloudflare, at.accountId, mediaHost)
    throw owner ? attachedElsewhere(wishOf(setup), owner) : error
  }
}

function whatIsThere({ cloudflare, setup }: At) {
  const { mediaHost, zone, at } = setup
  // The records of a partial zone are elsewhere, so only its buckets tell.
  const most = zone.type === 'partial' ? mostBuckets.suspected : mostBuckets.unsuspected
  return Promise.all([
    cloudflare.listDnsRecords(zone.id, mediaHost),
    cloudflare.hasObjects(at),
    findHostOwner(cloudflare, at.accountId, mediaHost, most),
  ])
}

async function notAttached(
  { cloudflare, setup }: At,
  [records, filled, asked]: Awaited<ReturnType<typeof whatIsThere>>,
) {
  const { mediaHost } = setup
  const [record] = records
  if (record) return { is: 'blocked', problem: await taken({ cloudflare, setup }, record) } as const
  if (asked.owner) {
    return { is: 'blocked', problem: attachedElsewhere(wishOf(setup), asked.owner) } as const
  }
  const all =
    filled === true ? ' (the bucket is not empty: all that is in it becomes readable)' : ''
  const changes: Change[] = [
    { what: `serve the bucket at https://${mediaHost}${all}`, risk: 'public' },
    waitFor(setup),
  ]
  return { is: 'change', changes, seen: { unattached: true } } as const
}

/** Why no bucket of this account can be served from the zone; undefined when one can. */
export function unfitZone(zone: Zone, accountId: string): Problem | undefined {
  if (zone.account.id !== accountId) {
    return new Problem({
      code: 'zone-in-other-account',
      what: `${zone.name} belongs to another Cloudflare account (${zone.account.name}).`,
      why: 'A bucket can only be served from a domain of its own account.',
      next: `Run this again with --account-id ${zone.account.id}, or choose another --media-host.`,
      exit: 2,
    })
  }
  if (zone.status === 'active' && !zone.paused) return undefined
  return inactiveZone(zone)
}

/** `instead`: what else can be done, a sentence. */
export function inactiveZone({ name, paused, status }: Zone, instead?: string): Problem {
  const cure = paused
    ? `Resume it ("Resume Cloudflare on Site" in its overview): https://dash.cloudflare.com/?to=/:account/${name}; then run this again.`
    : `Open https://dash.cloudflare.com/?to=/:account/${name}, finish its setup (usually: the name servers at your registrar), and run this again.`
  return new Problem({
    code: 'zone-not-active',
    what: `The domain ${name} is ${paused ? 'paused' : status} at Cloudflare.`,
    why: 'Cloudflare answers only for a domain that is active there.',
    next: instead === undefined ? cure : `${cure} ${instead}`,
    exit: 2,
  })
}

function partialZone(zone: Zone): string {
  return `${zone.name} is a partial (CNAME) zone: custom domains on those are reported to fail. After this, create the CNAME that Cloudflare shows at your own DNS, and check that an image loads.`
}

/** Visitors load media from this name now, and from another place than R2. */
function isOldMediaHost({ installation, mediaHost }: World['setup']): boolean {
  const of = (name: string) => installation.settings.get(name)?.value.trim() ?? ''
  const alias = of('S3_ALIAS_HOST') || of('S3_CLOUDFRONT_HOST')
  return of('S3_ENABLED') === 'true' && alias.replace(/\/.*$/s, '').toLowerCase() === mediaHost
}

/** Whose the record is, asked before anything is advised. */
async function taken(
  { cloudflare, setup }: Pick<World, 'cloudflare' | 'setup'>,
  record: DnsRecord,
): Promise<Problem> {
  const { mediaHost, zone, at } = setup
  const asked = isR2Record(record)
    ? await findHostOwner(cloudflare, at.accountId, mediaHost)
    : undefined
  if (isOldMediaHost(setup)) return stillInUse(mediaHost, record, asked?.owner)
  if (asked === undefined) return takenByOthers(mediaHost, record)
  if (asked.owner) return attachedElsewhere(wishOf(setup), asked.owner)
  return ownedByNone(mediaHost, zone.name, record, asked.unasked)
}

function wishOf({ mediaHost, at }: World['setup']) {
  return { host: mediaHost, at }
}

function stillInUse(host: string, { type, content }: DnsRecord, owner?: BucketRef): Problem {
  const leadsTo = owner ? `the bucket ${nameOf(owner)}` : `its DNS record: ${type} ${content}`
  const freed = owner ? whereToDetach(host, owner) : `delete the record of ${host}`
  return new Problem({
    code: 'media-host-in-use',
    what: `${host} is where visitors load all media from today (${leadsTo}).`,
    why: 'It leads to the storage that Mastodon uses now. Without it every picture would be gone until the copy is done.',
    next: `Two ways. Another name (best): choose one with --media-host, and keep ${host} alive or redirected; its old addresses stand in posts everywhere.\nThe same name: prepare and copy under another --media-host first; when the copy is complete, ${freed}, and run this again with --media-host ${host}. Leave it alone until then.`,
    exit: 2,
  })
}

function takenByOthers(host: string, { type, content }: DnsRecord): Problem {
  return new Problem({
    code: 'media-host-taken',
    what: `${host} already has a DNS record: ${type} ${content}.`,
    why: 'Something else answers at that name; taking it over would break that.',
    next: 'Choose another --media-host, or delete the record in the dashboard if nothing needs it.',
    exit: 2,
  })
}

function hostBlocked({ mediaHost }: World['setup']): Problem {
  return new Problem({
    code: 'media-host-blocked',
    what: `Cloudflare blocks ${mediaHost}.`,
    why: 'The ownership state is "blocked"; a zone hold or an abuse report does that.',
    next: "Look at the bucket's settings in the dashboard, or choose another --media-host.",
  })
}

function tooSlow(setup: World['setup'], domain: CustomDomain | undefined): Problem {
  return new Problem({
    code: 'media-domain-slow',
    what: `${setup.mediaHost} is not active after ${Math.round(setup.waitDomainMs / 1000)} s.`,
    why: `State: ${state(domain)}. Nothing is broken, and Mastodon's settings are as they were; Cloudflare is still at work.`,
    next: 'Run the same command again in some minutes; it goes on from here.',
  })
}

/** Milliseconds until Cloudflare shows the domain as gone. */
const GONE_MS = 60_000

/** The custom domain of the bucket; without it media is no longer served. */
export function undoMediaDomain(undo: Undo): Step<'cloudflare' | 'setup' | 'clock'> {
  return {
    id: 'media-domain',
    title: 'Custom domain',

    async look({ cloudflare, setup }): Promise<Finding> {
      const { at, mediaHost } = setup
      const [domain, filled] = await Promise.all([
        cloudflare.findCustomDomain(at, mediaHost),
        cloudflare.hasObjects(at),
      ])
      if (domain === undefined) return { is: 'ready', note: `${mediaHost} is not attached` }
      if (!undo.wishes.detachDomain) {
        return stays(`https://${mediaHost} serves the bucket`, 'detachDomain')
      }
      if (undo.inUse && !undo.wishes.evenIfInUse) {
        return { is: 'blocked', problem: inUse(setup) }
      }
      const { to, from, unseen } = await undo.redirects()
      if (to.length + from.length > 0 && !undo.wishes.evenIfInUse) {
        return { is: 'blocked', problem: redirected(setup, { to, from }) }
      }
      const loss =
        filled === false || filled === 'tests'
          ? ''
          : ', and every link to media in the bucket breaks'
      const what = `detach ${mediaHost}: it stops answering${loss}`
      const warnings = unseen.map((one) => `Whether a redirect needs ${mediaHost}: ${one}`)
      return { is: 'change', changes: [{ what, risk: 'destructive', goes: true }], warnings }
    },

    async change({ cloudflare, setup, clock }) {
      const { at, mediaHost } = setup
      await cloudflare.detachCustomDomain(at, mediaHost)
      const start = clock.now().getTime()
      while (await cloudflare.findCustomDomain(at, mediaHost)) {
        if (clock.now().getTime() - start >= GONE_MS) break
        await clock.sleep(1_000)
      }
      return {}
    },
  }
}

function redirected(
  { mediaHost }: World['setup'],
  { to, from }: Pick<Redirected, 'to' | 'from'>,
): Problem {
  const lines = [...to, ...from].map((one) => `  ${one.from} to ${one.to}`)
  const rest = 'add --even-if-in-use; leave --detach-domain out to take back the rest.'
  const next =
    to.length > 0
      ? prose`Take away what leads there (what a web server does, by hand):\n  ${toType('redirects', { mediaHost, remove: true })}\nOr ${rest}`
      : `Keep the domain for as long as others may know addresses of ${mediaHost}, or ${rest}`
  return new Problem({
    code: 'undo-redirected',
    what: `Redirects need ${mediaHost} to be there.`,
    why: `Without the domain these links lead to nothing, for your users and for other servers. Nothing was changed.\n${lines.join('\n')}`,
    next,
    exit: 2,
  })
}

function inUse({ mediaHost, at }: World['setup']): Problem {
  return new Problem({
    code: 'undo-in-use',
    what: `Mastodon uses the bucket ${at.bucket} now, and ${mediaHost} serves what is in it.`,
    why: 'Without the domain every picture and video in the bucket is out of reach, for your users and for other servers. Nothing was changed.',
    next: prose`Bring the media back first (${toType('leave')}), or add --even-if-in-use; leave --detach-domain out to take back the rest.`,
    exit: 2,
  })
}
