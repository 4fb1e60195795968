import type { PublicWebPort, WebResponse } from '../services/public-web/port.ts'

/** A page of the instance, at most three redirects on its own host followed. Throws the port's Problems. */
export async function visit(
  web: PublicWebPort,
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
