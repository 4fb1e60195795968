import { Problem } from '../../core/problem.ts'
import type { PublicWebPort, WebResponse } from '../../services/public-web/port.ts'

/** What came of a request with another server's User-Agent and a page of another site as Referer. */
export interface Strange {
  /** Of the request that tells most: where one half alone is refused, of that. */
  readonly answer: WebResponse | Problem
  /** Empty: served. `both`: neither half alone was refused. */
  readonly refusedFor: readonly ('agent' | 'referer' | 'both')[]
}

/**
 * How another Mastodon asks (its lib/mastodon/version.rb: `user_agent`), and a page of another server
 * that shows the picture in a browser.
 */
const AGENT = { 'user-agent': 'Mastodon/4.5.0 (http.rb/5.3.1; +https://other-server.example/)' }
const REFERER = { referer: 'https://other-server.example/@somebody/1' }

/**
 * Asks once as others do, who are neither this server nor its pages; what is refused is asked for with
 * each half alone, which tells what it was refused for. `usual`: what everybody else gets.
 */
export async function askAsStranger(
  web: Pick<PublicWebPort, 'fetch'>,
  url: string,
  usual: Uint8Array,
): Promise<Strange> {
  const ask = async (headers: Readonly<Record<string, string>>) => {
    try {
      return await web.fetch(url, { headers })
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }
  const both = await ask({ ...AGENT, ...REFERER })
  if (isServed(both, usual)) return { answer: both, refusedFor: [] }
  const [agent, referer] = await Promise.all([ask(AGENT), ask(REFERER)])
  const refusedFor = [
    ...(isServed(agent, usual) ? [] : (['agent'] as const)),
    ...(isServed(referer, usual) ? [] : (['referer'] as const)),
  ]
  const first = refusedFor.length === 1 ? (refusedFor[0] === 'agent' ? agent : referer) : both
  return { answer: first, refusedFor: refusedFor.length === 0 ? ['both'] : refusedFor }
}

function isServed(answer: WebResponse | Problem, usual: Uint8Array): answer is WebResponse {
  if (answer instanceof Problem) return false
  return answer.status === 200 && Buffer.from(answer.body).equals(usual)
}
