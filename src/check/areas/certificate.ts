import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { Certificate } from '../../services/public-web/port.ts'
import { type HostAt, type MediaHost, notAsked } from './media-host.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

const NEXT =
  'Look at the custom domain of the bucket at https://dash.cloudflare.com/?to=/:account/r2: its certificate must be active.'

type Find = (at: HostAt) => Promise<MediaHost>

/** TLS of the media host: trusted, and for how long. Cloudflare renews by itself, weeks before. */
export function certificateCheck(find: Find): Check<keyof HostAt | 'clock'> {
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
