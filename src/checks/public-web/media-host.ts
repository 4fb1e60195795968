import type { CheckWorld, Verdict } from '../../plan/check.ts'
import { Problem } from '../../problem.ts'
import type { Certificate } from '../../services/public-web/port.ts'

export type HostAt = Pick<CheckWorld, 'storage' | 'web'>

/** The media host with the certificate that it showed; or why nothing can be asked of it. */
export type MediaHost =
  | { readonly is: 'there'; readonly host: string; readonly certificate: Certificate }
  | { readonly is: 'unnamed' }
  /** `problem`: no connection came about; without it, the certificate is one that nobody trusts. */
  | {
      readonly is: 'unreachable'
      readonly host: string
      readonly problem?: Problem
      readonly certificate?: Certificate
    }

export async function findMediaHost({ storage, web }: HostAt): Promise<MediaHost> {
  const host = storage.mediaHost
  if (host === undefined) return { is: 'unnamed' }
  try {
    const certificate = await web.certificate(host)
    if (certificate.fault !== undefined) return { is: 'unreachable', host, certificate }
    return { is: 'there', host, certificate }
  } catch (error) {
    if (error instanceof Problem) return { is: 'unreachable', host, problem: error }
    throw error
  }
}

/** What a check says that has nothing to ask; the reason is a verdict of another check. */
export function notAsked(found: MediaHost): Verdict[] {
  const because =
    found.is === 'unnamed' ? 'no media host is known' : "the media host can't be reached"
  return [{ severity: 'skipped', saw: `not tried: ${because}` }]
}
