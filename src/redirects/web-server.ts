import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { follow } from './leads-there.ts'
import { type OldPrefix, prefixName } from './old-prefix.ts'
import type { WebServer, WebServerPort } from './port.ts'
import type { Redirecting } from './redirecting.ts'

type Needs = 'web' | 'connectS3' | 'setup' | 'clock'

export interface WebServerBlock {
  readonly kind: WebServer
  readonly prefix: OldPrefix
  /** Why the web server, and not Cloudflare; undefined when it was asked for. */
  readonly why: string | undefined
  /** The block with this status. */
  text(status: 301 | 302): string
  readonly webServer: WebServerPort
  /** Called with what the person has to put in place. */
  readonly told: (block: { readonly title: string; readonly text: string }) => void
}

/**
 * The web server's files belong to the person: the block is shown, checked and, once it is in place,
 * proven. Permanent is only shown once temporary was seen to work.
 */
export function webServerBlock(redirecting: Redirecting, block: WebServerBlock): Step<Needs> {
  const { kind, prefix, why, webServer } = block
  const { mediaHost, status } = redirecting

  async function later(code: 301 | 302, note: string): Promise<Finding> {
    const text = block.text(code)
    const opinion = await webServer.check(kind, text)
    if (opinion.is === 'bad') throw refused(kind, opinion.said)
    const checked =
      opinion.is === 'good' ? `checked by ${kind} on this machine` : `not checked: ${opinion.why}`
    const title = `For ${kind}, in the block of ${prefix.host} (${checked})`
    block.told({ title, text })
    return { is: 'later', note, next: `${title}:\n${text}` }
  }

  return {
    id: `${kind}:${prefixName(prefix)}`,
    title: `Redirect ${prefixName(prefix)} (${kind})`,

    async look(at): Promise<Finding> {
      const key = await keyNotHere(at)
      const led = await follow(at, prefix, key, mediaHost)
      if ('fault' in led) {
        const reason = why === undefined ? '' : `${why}; `
        return later(302, `${reason}put the block below in place, reload ${kind}, run this again`)
      }
      if (led.status === status) {
        return { is: 'ready', note: `leads to https://${mediaHost}/ with ${status}, seen` }
      }
      const now = `works with ${led.status}, seen`
      const word = status === 301 ? 'make it permanent' : 'make it temporary'
      return later(status, `${now}; ${word} with the block below`)
    },
  }

  /** A file that is on this disk is served, not redirected; nothing is asked of the media host here. */
  async function keyNotHere(at: Pick<World, Needs>): Promise<string> {
    const unused = `mastodon-r2-probe/${at.clock.randomHex(32)}.txt`
    for (const key of await redirecting.known.keys(at)) {
      if ((await redirecting.local?.find(key)) === undefined) return key
    }
    return unused
  }
}

function refused(kind: WebServer, said: string): Problem {
  return new Problem({
    code: 'web-server-block-refused',
    what: `${kind} on this machine does not take the block that was made for it.`,
    why: said,
    next: 'Nothing was changed. Use --engine single where Cloudflare is in front, and please report this.',
  })
}
