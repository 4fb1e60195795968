import type {
  Certificate,
  PublicWebPort,
  WebRequest,
  WebResponse,
} from '../../src/services/public-web/port.ts'
import type { FakeS3 } from './fake-s3.ts'

export interface Answer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

const text = (words: string) => new TextEncoder().encode(words)

/** The media host in front of a fake bucket. As the real edge, it remembers every 404 by its URL. */
export class FakeWeb implements PublicWebPort {
  readonly requests: string[] = []
  readonly #missing = new Set<string>()
  readonly #s3: FakeS3
  /** How many of the first URLs are asked for before the route is there. */
  blindFor = 0
  alter: (answer: Answer, request: WebRequest, url: string) => Answer = (answer) => answer

  constructor(s3: FakeS3) {
    this.#s3 = s3
  }

  async fetch(url: string, request: WebRequest = {}): Promise<WebResponse> {
    await request.after
    const { origin, range } = request.headers ?? {}
    this.requests.push([url, origin, range].filter(Boolean).join(' '))
    const { status, headers, body } = this.alter(this.#answer(url, origin, range), request, url)
    const header = (name: string) => headers.filter(([own]) => own === name).map(([, it]) => it)
    return { status, header, body }
  }

  /** Thrown instead of an address; a Problem with code web-dns. */
  nowhere: Error | undefined
  shown: Certificate = {
    validTo: new Date(Date.UTC(2027, 1, 1)),
    issuer: 'Good Certificates',
    fault: undefined,
  }

  async addresses() {
    if (this.nowhere) throw this.nowhere
    return ['192.0.2.1']
  }

  async certificate() {
    if (this.nowhere) throw this.nowhere
    return this.shown
  }

  #answer(url: string, origin: string | undefined, range: string | undefined): Answer {
    const key = new URL(url).pathname.slice(1)
    const found = this.#s3.objects.get(key)
    if (key !== '' && this.blindFor > 0) {
      this.blindFor -= 1
      this.#missing.add(url)
    }
    if (!found) this.#missing.add(url)
    if (!found || this.#missing.has(url))
      return { status: 404, headers: [], body: text('Not found') }
    const cors = origin === undefined ? [] : [['access-control-allow-origin', '*'] as const]
    const headers = [['content-type', found.contentType] as const, ...cors]
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    if (first === undefined) return { status: 200, headers, body: found.body }
    return { status: 206, headers, body: found.body.slice(Number(first), Number(last) + 1) }
  }
}
