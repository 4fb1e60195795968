import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { isRequired } from '../../requirement.ts'

function isThere(): boolean {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore', timeout: 30_000 })
    return true
  } catch {
    return false
  }
}

/** Why no browser can be asked; undefined when one can, or when it must not be skipped. */
export const browserMissing =
  isRequired('chromium') || isThere() ? undefined : 'chromium is missing (apt-get install chromium)'

type Params = Readonly<Record<string, unknown>>
interface Told {
  readonly id?: number
  readonly result?: Params
  readonly error?: { readonly message: string }
}

export interface Page {
  open(url: string): Promise<void>
  /** The value of an expression in the page, promises awaited. */
  ask<T>(expression: string): Promise<T>
  /** PNG of what is to be seen. */
  picture(): Promise<Buffer>
  close(): Promise<void>
}

/**
 * Debian's Chromium without a window, which takes these hosts to these ports of this machine and
 * trusts any certificate there. Driven through its debugging pipe: JSON between zero bytes.
 */
export async function startChromium(ports: Readonly<Record<string, number>>) {
  const profile = await mkdtemp(join(tmpdir(), 'mastodon-r2-chromium-'))
  const rules = Object.entries(ports).map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`)
  const flags = [
    ...['--headless=new', '--no-sandbox', '--disable-gpu', '--mute-audio', '--no-first-run'],
    ...['--remote-debugging-pipe', '--ignore-certificate-errors', '--disable-dev-shm-usage'],
    ...['--autoplay-policy=no-user-gesture-required', '--window-size=640,360'],
    `--host-resolver-rules=${rules.join(',')}`,
    `--user-data-dir=${profile}`,
    'about:blank',
  ]
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const
  const child: ChildProcess = spawn('chromium', flags, { stdio: [...stdio] })
  const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, (told: Told) => void>()
  let pending = ''
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (pending + text).split('\0')
    pending = messages.pop() ?? ''
    for (const message of messages) {
      const told = JSON.parse(message) as Told
      if (told.id !== undefined) waiting.get(told.id)?.(told)
    }
  })
  let count = 0
  const send = async (method: string, params: Params = {}, sessionId?: string) => {
    count += 1
    const id = count
    const answer = new Promise<Told>((resolve) => waiting.set(id, resolve))
    to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`)
    const { result = {}, error } = await answer
    waiting.delete(id)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  return {
    /** A page with cookies, cache and service workers of its own. */
    async page(): Promise<Page> {
      const { browserContextId } = await send('Target.createBrowserContext')
      const wish = { url: 'about:blank', browserContextId, width: 640, height: 360 }
      const { targetId } = await send('Target.createTarget', wish)
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const own = (method: string, params: Params = {}) => send(method, params, String(sessionId))
      const ask = async <T>(expression: string): Promise<T> => {
        const how = { expression, awaitPromise: true, returnByValue: true }
        const { result, exceptionDetails } = await own('Runtime.evaluate', how)
        if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
        return (result as { value: T }).value
      }
      return {
        ask,
        async open(url) {
          const { errorText } = await own('Page.navigate', { url })
          if (errorText) throw new Error(`${url}: ${errorText}`)
          const loaded = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`
          while (!(await ask<boolean>(loaded))) await new Promise((done) => setTimeout(done, 20))
        },
        async picture() {
          const { data } = await own('Page.captureScreenshot', { format: 'png' })
          return Buffer.from(String(data), 'base64')
        },
        close: async () => void (await send('Target.disposeBrowserContext', { browserContextId })),
      }
    },
    async close() {
      const ended = once(child, 'exit')
      await send('Browser.close').catch(() => child.kill('SIGKILL'))
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
