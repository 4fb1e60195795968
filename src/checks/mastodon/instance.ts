import type { CheckWorld } from '../../plan/check.ts'
import type { WebResponse } from '../../services/public-web/port.ts'

type At = Pick<CheckWorld, 'installation' | 'storage' | 'web'>

/** Where people open Mastodon. */
export function instanceHost({ installation }: Pick<At, 'installation'>): string | undefined {
  return installation.webDomain ?? installation.localDomain
}

/** The host of media, when the settings name a usable one. */
export function mediaHost({ storage }: Pick<At, 'storage'>): string | undefined {
  const host = storage.mediaHost ?? ''
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) ? host : undefined
}

/** A page of the instance, at most three redirects on its own host followed. Throws the port's Problems. */
export async function visit(
  web: CheckWorld['web'],
  host: string,
  path: string,
): Promise<WebResponse & { readonly url: string }> {
  let url = new URL(`https://${host}${path}`)
  for (let left = 3; ; left -= 1) {
    const response = await web.fetch(url.href, { headers: { accept: 'text/html, */*' } })
    const [location] = response.header('location')
    const isRedirect = response.status >= 300 && response.status < 400 && location !== undefined
    const next = isRedirect && URL.canParse(location, url.href) ? new URL(location, url) : undefined
    if (next?.host !== url.host || left === 0) return { ...response, url: url.href }
    url = next
  }
}
