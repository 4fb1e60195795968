import type { IncomingMessage } from 'node:http'
import type { Answer, SandboxContext } from '../doorway.ts'
import { answerAtEdge } from './answer-at-edge.ts'
import { type CacheSettings, cacheSettings } from './cache-settings.ts'
import { responseHeaders } from './response-headers.ts'
import { RuleLanguageError } from './rule-language-error.ts'

/**
 * One request on its way through Cloudflare's rules to `origin` and back. A rule that the sandbox
 * does not evaluate makes every answer a 500 that says which one.
 */
export async function throughEdge(
  { world, clock }: Pick<SandboxContext, 'world' | 'clock'>,
  message: IncomingMessage,
  origin: (cache: CacheSettings) => Promise<Answer>,
): Promise<Answer> {
  const at = { world, now: clock() }
  const [path = '/', ...query] = (message.url ?? '/').split('?')
  const host = (message.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  const visit = { host, method: message.method ?? 'GET', path, query: query.join('?') }
  try {
    const early = answerAtEdge(at, visit)
    if (early?.is === 'blocked') return text(403, 'Sorry, you have been blocked')
    if (early?.is === 'redirect') {
      return text(early.status, '', { location: early.location })
    }
    const answer = await origin(cacheSettings(at, visit))
    const headers = responseHeaders(at, { ...visit, code: answer.status }, answer.headers)
    return { ...answer, headers }
  } catch (error) {
    if (!(error instanceof RuleLanguageError)) throw error
    return text(500, `The sandbox does not evaluate ${error.message}`)
  }
}

function text(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  const own = { 'content-type': 'text/html', 'content-length': Buffer.byteLength(body) }
  return { status, headers: { ...own, ...headers }, body }
}
