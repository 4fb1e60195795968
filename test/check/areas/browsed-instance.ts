import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Authority } from '../../../src/sandbox/certificate.ts'

/** As Mastodon 4.6.5 sends it with its pages; without `media` the host is not announced. */
export function policyOf(host: string, media?: string): string {
  const own = `https://${host}`
  const hosts = media === undefined ? own : `${own} https://${media}`
  return [
    "default-src 'none'",
    "frame-ancestors 'none'",
    `img-src 'self' data: blob: ${hosts}`,
    `media-src 'self' data: ${hosts}`,
    `connect-src 'self' data: blob: ${hosts}`,
    `script-src 'self' ${own}`,
    `style-src 'self' 'unsafe-inline' ${own}`,
    `worker-src 'self' blob: ${own}`,
  ].join('; ')
}

/** Fetches by itself what a page asks of other hosts, as Mastodon's worker does with media. */
const WORKER = `
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  if (new URL(event.request.url).origin === location.origin) return
  event.respondWith(fetch(event.request))
})
`

const PAGE = `<!doctype html><title>Mastodon</title>
<style>main { font: 20px sans-serif; margin: 20px } main > * { display: block; margin: 12px 0 }</style>
<main>A post with a picture and a sound:</main>`

export interface Policies {
  page: string
  worker: string | undefined
}

/** Mastodon's pages as far as a browser's judgement of media needs them. */
export async function startInstance(host: string, authority: Authority, policies: Policies) {
  const server = createServer(authority.issue(host), ({ url }, response) => {
    const isWorker = url === '/sw.js'
    const policy = isWorker ? policies.worker : policies.page
    response.writeHead(200, {
      'content-type': isWorker ? 'text/javascript' : 'text/html; charset=utf-8',
      ...(policy !== undefined && { 'content-security-policy': policy }),
    })
    response.end(isWorker ? WORKER : PAGE)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
