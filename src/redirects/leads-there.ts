import { Problem } from '../core/problem.ts'
import type { World } from '../plan/step.ts'
import { newUrl, type OldPrefix, oldUrl } from './old-prefix.ts'
import type { Redirecting } from './redirecting.ts'

/** Rules reach every place within seconds (Cloudflare docs); a minute for a slow day. */
const SPREAD_MS = 60_000
const PAUSE_MS = 2_000

/** What an old address does: the status of its redirect, or why it is none to the media host. */
export type Led = { readonly status: number } | { readonly fault: string }

/** Asks for one old address, and does not follow it. */
export async function follow(
  { web }: Pick<World, 'web'>,
  prefix: OldPrefix,
  key: string,
  mediaHost: string,
): Promise<Led> {
  const url = oldUrl(prefix, key)
  try {
    const answer = await web.fetch(url, { method: 'HEAD' })
    const [location] = answer.header('location')
    const isRedirect = [301, 302, 307, 308].includes(answer.status)
    if (isRedirect && location === newUrl(mediaHost, key)) return { status: answer.status }
    const where = isRedirect && location !== undefined ? ` to ${location}` : ''
    return { fault: `${url} answers with status ${answer.status}${where}` }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { fault: `${url}: ${error.what}` }
  }
}

/** Undefined when every known file's old address redirects with this status. */
export async function ledFault(
  at: Pick<World, 'web' | 'connectS3' | 'setup'>,
  { known, mediaHost }: Redirecting,
  prefix: OldPrefix,
  status: number,
): Promise<string | undefined> {
  for (const key of await known.keys(at)) {
    const led = await follow(at, prefix, key, mediaHost)
    if ('fault' in led) return led.fault
    if (led.status !== status) {
      return `${oldUrl(prefix, key)} redirects with ${led.status}, not ${status}`
    }
  }
  return undefined
}

/** Undefined unless every known file's old address leads to the media host already. */
export async function ledAlready(
  at: Pick<World, 'web' | 'connectS3' | 'setup'>,
  { known, mediaHost }: Redirecting,
  prefix: OldPrefix,
): Promise<number | undefined> {
  let status: number | undefined
  for (const key of await known.keys(at)) {
    const led = await follow(at, prefix, key, mediaHost)
    if ('fault' in led) return undefined
    status = led.status
  }
  return status
}

/** Waits until it is so. Problem `redirect-not-seen`. */
export async function proveRedirect(
  at: Pick<World, 'web' | 'connectS3' | 'setup' | 'clock'>,
  redirecting: Redirecting,
  prefix: OldPrefix,
  status: number,
): Promise<void> {
  const start = at.clock.now().getTime()
  for (;;) {
    const fault = await ledFault(at, redirecting, prefix, status)
    if (fault === undefined) return
    if (at.clock.now().getTime() - start >= SPREAD_MS) throw notSeen(prefix, fault)
    await at.clock.sleep(PAUSE_MS)
  }
}

function notSeen({ host }: OldPrefix, fault: string): Problem {
  return new Problem({
    code: 'redirect-not-seen',
    what: 'Cloudflare took the redirect, and old addresses do not lead to the media host.',
    why: `${fault}. Another rule may come first, or ${host} does not pass through Cloudflare.`,
    next: `Look at the zone's rules in the dashboard and at the orange cloud of ${host}, and run this again; or use --engine nginx.`,
  })
}
