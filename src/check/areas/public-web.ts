import { clockTrouble, DAY_MS } from '../../core/clock.ts'
import { sharedLook } from '../../core/once.ts'
import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import { type Check, type CheckWorld, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { Certificate } from '../../services/public-web/port.ts'
import { otherServersCheck } from './other-servers.ts'
import {
  cacheControlCheck,
  cachedAbsenceCheck,
  contentCheck,
  corsCheck,
  edgeCacheCheck,
  rangeCheck,
  shieldsCheck,
} from './public-headers.ts'
import type { Open } from './storage.ts'
import {
  findMediaHost,
  type HostAt,
  type MediaHost,
  notAsked,
  topCheck,
  type VisitAt,
  visitMediaHost,
} from './visit.ts'

const SOON_DAYS = 14

const NEXT =
  'Look at the custom domain of the bucket at https://dash.cloudflare.com/?to=/:account/r2: its certificate must be active.'

type Find = (at: HostAt) => Promise<MediaHost>

/** TLS of the media host: trusted, and for how long. Cloudflare renews by itself, weeks before. */
function certificateCheck(find: Find): Check<keyof HostAt | 'clock'> {
  return {
    id: 'public-certificate',
    about: 'public web',
    title: 'Certificate',
    cost: 'look',
    async look(at) {
      const found = await find(at)
      if (found.is === 'unnamed' || (found.is === 'unreachable' && isNameless(found))) {
        return notAsked(found)
      }
      const { host, certificate } = found
      if (certificate) return [judge(host, certificate, at.clock.now())]
      return 'problem' in found && found.problem ? [troubleOf(found.problem)] : notAsked(found)
    },
  }
}

function isNameless({ problem }: Extract<MediaHost, { is: 'unreachable' }>): boolean {
  return problem?.code === 'web-dns'
}

function judge(host: string, { validTo, issuer, fault }: Certificate, now: Date): Verdict {
  const days = Math.floor((validTo.getTime() - now.getTime()) / DAY_MS)
  const day = validTo.toISOString().slice(0, 10)
  if (days < 0) {
    return {
      severity: 'fault',
      saw: `The certificate of ${host} expired on ${day}.`,
      matters: 'Browsers refuse every image and video.',
      next: NEXT,
    }
  }
  const clock = clockTrouble(fault ?? '', now)
  if (clock) {
    const saw = `The certificate of ${host} is not trusted (${fault}).`
    return { severity: 'fault', saw, matters: clock.why, next: clock.next }
  }
  if (fault !== undefined) {
    return {
      severity: 'fault',
      saw: `The certificate of ${host} is not trusted (${fault}; issued by ${issuer}).`,
      matters:
        'Browsers and other servers refuse every image and video. Something else may answer there, or a certificate in the chain is missing.',
      next: NEXT,
    }
  }
  const left = days === 1 ? '1 day' : `${days} days`
  if (days >= SOON_DAYS) return { severity: 'ok', saw: `${left} left, issued by ${issuer}` }
  return {
    severity: 'warning',
    saw: `The certificate of ${host} ends in ${left}.`,
    matters: "Cloudflare renews it weeks before. That it has not happened means that it can't.",
    next: NEXT,
  }
}

/** DNS of the media host: this machine's name server, else public ones. */
const nameCheck: Check<keyof HostAt> = {
  id: 'public-name',
  about: 'public web',
  title: 'Name of the media host',
  cost: 'look',
  async look({ storage, web }) {
    const host = storage.mediaHost
    if (host === undefined) {
      return [
        {
          severity: 'fault',
          saw: 'S3_ALIAS_HOST names no host that could serve the media.',
          matters: "R2's S3 endpoint serves nobody without a key, so every image would be broken.",
          next: toType('init'),
        },
      ]
    }
    const addresses = await web.addresses(host)
    if (!addresses) return [{ severity: 'skipped', saw: 'the proxy looks names up' }]
    const [first = '', ...more] = addresses
    const rest = more.length === 0 ? '' : ` and ${more.length} more`
    return [{ severity: 'ok', saw: `${host} leads to ${first}${rest}` }]
  },
}

/**
 * The media host as a stranger sees it. One upload and one visit serve most of these; `open` finds
 * the bucket for them.
 */
export function publicWebChecks(open: Open): readonly Check[] {
  const find = sharedLook(findMediaHost)
  const go = sharedLook((at: VisitAt) => visitMediaHost(at, find, open))
  return [
    nameCheck,
    certificateCheck(find),
    topCheck(find),
    contentCheck(go),
    rangeCheck(go),
    corsCheck(go),
    cacheControlCheck(go),
    shieldsCheck(go),
    otherServersCheck(go),
    edgeCacheCheck(go),
    cachedAbsenceCheck(find, open),
    privateFoldersCheck(find),
  ]
}

type FindHost = (at: HostAt) => Promise<MediaHost>
type At = HostAt & Pick<CheckWorld, 'clock'>

/** Archives and old imports lie in the same public bucket, under names nobody can guess. */
const PRIVATE = ['backups/dumps', 'imports/data']

/** Mastodon hands archives out by links to the S3 endpoint, so the media host need not serve them. */
function privateFoldersCheck(find: FindHost): Check<keyof At> {
  return {
    id: 'public-private-folders',
    about: 'public web',
    title: 'Private folders',
    cost: 'look',
    async look(at) {
      const found = await find(at)
      if (found.is !== 'there') return notAsked(found)
      const reached = await Promise.all(PRIVATE.map((path) => isServed(at, found.host, path)))
      if (reached.includes(undefined)) {
        return [{ severity: 'skipped', saw: 'not seen: a request failed' }]
      }
      const open = PRIVATE.filter((_, index) => reached[index]).map(topOf)
      if (open.length === 0) {
        return [{ severity: 'ok', saw: '/backups/ and /imports/ are blocked' }]
      }
      return [
        {
          severity: 'note',
          saw: `The media host would serve ${open.join(' and ')}.`,
          matters:
            "They hold archives of your users. The names can't be guessed; a link that leaks is enough.",
          next: prose`${toType('init', { edge: 'private-folders' })} (downloads go on working: they do not use the media host)`,
          mend: { is: 'steps', ids: ['private-folders'] },
        },
      ]
    },
  }
}

/** Of a name that does not exist: 404 means that the request reached the bucket. */
async function isServed({ web, clock }: At, host: string, path: string) {
  try {
    const { status } = await web.fetch(`https://${host}/${path}/${clock.randomHex(32)}.zip`)
    return status === 404 || status < 300
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function topOf(path: string): string {
  return `/${path.split('/')[0]}/`
}
