import { Problem } from '../../core/problem.ts'
import type { CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { Certificate, WebResponse } from '../../services/public-web/port.ts'

export type HostAt = Pick<CheckWorld, 'storage' | 'web'>

/** The media host, with its certificate and top page; or why nothing can be asked of it. */
export type MediaHost =
  | {
      readonly is: 'there'
      readonly host: string
      readonly certificate: Certificate
      /** The answer at `/`. */
      readonly top: WebResponse
    }
  | { readonly is: 'unnamed' }
  /** No certificate: no connection came about. No problem: the certificate is one nobody trusts. */
  | {
      readonly is: 'unreachable'
      readonly host: string
      readonly problem?: Problem
      readonly certificate?: Certificate
    }

export async function findMediaHost({ storage, web }: HostAt): Promise<MediaHost> {
  const host = storage.mediaHost
  if (host === undefined) return { is: 'unnamed' }
  let certificate: Certificate | undefined
  try {
    certificate = await web.certificate(host)
    if (certificate.fault !== undefined) return { is: 'unreachable', host, certificate }
    return { is: 'there', host, certificate, top: await web.fetch(`https://${host}/`) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { is: 'unreachable', host, problem: error, ...(certificate && { certificate }) }
  }
}

/** What a check says that has nothing to ask; the reason is a verdict of another check. */
export function notAsked(found: MediaHost): Verdict[] {
  const because =
    found.is === 'unnamed' ? 'no media host is known' : "the media host can't be reached"
  return [{ severity: 'skipped', saw: `not tried: ${because}` }]
}
