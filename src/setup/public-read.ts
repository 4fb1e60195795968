import { Problem } from '../core/problem.ts'
import { allOf } from '../core/streams.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import { type Finding, learned, type Place, type Step, type World } from '../plan/step.ts'
import type { WebResponse } from '../services/public-web/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { removeLeftTests } from './left-tests.ts'

type ProbeNeeds = 'connectS3' | 'place' | 'clock' | 'facts'
type Needs = 'web' | ProbeNeeds
type At = Pick<World, Needs>

/** Certificates, routes and CORS rules reach every place within about half a minute. */
const SPREAD_MS = 60_000

/**
 * What a browser sees. With a new domain or key, an object is uploaded under a random name first:
 * Cloudflare remembers a 404 for minutes, so nothing is asked for before it is there.
 */
export const publicRead: Step<Needs> = {
  id: 'public-read',
  title: 'Public read',

  async look(at): Promise<Finding> {
    const { facts, place } = at
    const will = `read a test file at https://${place.mediaHost}`
    if (!facts.domainActive) return { is: 'waiting', on: 'domainActive', will }
    if (facts.publicProven) return proven
    const isNew = facts.domainActive.attached || facts.accessKey?.minted === true
    // A key that is kept works; whether all is proven of it is no matter of who only reads.
    if ((isNew || !facts.accessKey) && !facts.keyProven)
      return { is: 'waiting', on: 'keyProven', will }
    if (isNew) return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
    const fault = await topFault(at)
    if (fault === undefined) return ready(`https://${place.mediaHost} answers`)
    if (!facts.keyProven) return { is: 'waiting', on: 'keyProven', will }
    return { is: 'change', changes: [{ what: `${will}; just now: ${fault}`, risk: 'safe' }] }
  },

  async change(at) {
    const s3 = at.connectS3(learned(at.facts, 'accessKey'))
    const key = at.facts.testFile ?? testFileName(at)
    const body = contentOf(key)
    try {
      if (at.facts.testFile === undefined) await putTestFile(s3, key)
      await onceSpread(at, (attempt) => read(at, attempt === 0 ? key : `${key}?n=${attempt}`, body))
    } catch (error) {
      await s3.delete(key).catch(() => undefined)
      throw error
    }
    return { publicProven: { testFile: key } }
  },

  /** Removes the test file, and those of runs that were killed, beside the steps that follow. */
  async confirm({ connectS3, clock, facts }) {
    const { testFile } = learned(facts, 'publicProven')
    const s3 = connectS3(learned(facts, 'accessKey'))
    await allOf([
      testFile === undefined ? Promise.resolve() : s3.delete(testFile).catch(() => undefined),
      removeLeftTests(s3, { now: clock.now(), holdsEnvFile: true, known: testFile }),
    ])
    return proven
  },
}

/**
 * A test of the uploads after which the file for the public read lies in the bucket, too, where the
 * domain is still waited for: behind that wait there is only the reading. A run that ends before it
 * removes the file.
 */
export function withTestFile(probe: Step<ProbeNeeds>): Step<ProbeNeeds> {
  return {
    ...probe,

    async change(at, seen) {
      const proven = (await probe.change?.(at, seen)) ?? {}
      if (at.facts.domainActive) return proven
      const testFile = testFileName(at)
      await putTestFile(at.connectS3(learned(at.facts, 'accessKey')), testFile)
      return { ...proven, testFile }
    },

    async undo({ connectS3, facts }) {
      const { testFile, publicProven } = facts
      if (testFile === undefined || publicProven) return undefined
      await connectS3(learned(facts, 'accessKey')).delete(testFile)
      return undefined
    },
  }
}

/** A random name: nobody has asked for it before. */
function testFileName({ clock }: Pick<World, 'clock'>): string {
  return `mastodon-r2-probe/${clock.randomHex(32)}.txt`
}

async function putTestFile(s3: S3Port, key: string): Promise<void> {
  const sent = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL }
  await s3.put(key, contentOf(key), sent)
}

function contentOf(key: string): Uint8Array {
  return new TextEncoder().encode(`mastodon-r2 ${key}\n`.repeat(4))
}

/** A look without an object: does the host answer at all? */
export async function topFault({
  web,
  place,
}: Pick<At, 'web' | 'place'>): Promise<string | undefined> {
  try {
    const top = await web.fetch(`https://${place.mediaHost}/`)
    notListing(place.mediaHost, top)
    return top.status < 500 ? undefined : `it answers with status ${top.status}`
  } catch (error) {
    if (error instanceof Problem && error.code.startsWith('web-')) return error.what
    throw error
  }
}

const proven: Finding = { is: 'ready', note: 'status, bytes, type, range and CORS are right' }

function ready(note: string): Finding {
  return { is: 'ready', note, facts: { publicProven: {} } }
}

async function onceSpread({ clock }: At, attempt: (n: number) => Promise<void>): Promise<void> {
  const start = clock.now().getTime()
  for (let n = 0; ; n++) {
    try {
      return await attempt(n)
    } catch (error) {
      const passing = error instanceof Problem && error.code !== 'media-host-lists'
      if (!passing || clock.now().getTime() - start >= SPREAD_MS) throw error
      await clock.sleep(2_000)
    }
  }
}

/** First without Origin, as a crawler; then with it, as the web app: the same copy must do for both. */
async function read({ web, place }: At, key: string, sent: Uint8Array): Promise<void> {
  const url = `https://${place.mediaHost}/${key}`
  const origin = originOf(place)
  const after = web.fetch(url).then((answer) => {
    whole(url, answer, sent)
    return answer
  })
  const behind = Promise.all([
    web.fetch(url, { headers: { origin }, after }),
    web.fetch(url, { headers: { range: 'bytes=4-19' }, after }),
    web.fetch(`https://${place.mediaHost}/`, { after }),
  ])
  behind.catch(() => undefined)
  const plain = await after
  const [scripted, range, top] = await behind
  whole(url, scripted, sent)
  corsOnce(url, plain, scripted, origin)
  partOnly(url, range, sent)
  notListing(place.mediaHost, top)
}

/** The origin that Mastodon's web app has, or one that the bucket's rule should allow. */
export function originOf({
  installation,
  corsOrigins,
}: Pick<Place, 'installation' | 'corsOrigins'>): string {
  const domain = installation.webDomain ?? installation.localDomain
  const named = corsOrigins.find((origin) => origin !== '*')
  return named ?? `https://${domain ?? 'social.example.com'}`
}

/** Throws Problem `public-status`, `public-bytes` or `public-type`. */
export function whole(
  url: string,
  response: WebResponse,
  sent: Uint8Array,
  sentType = 'text/plain',
): void {
  if (response.status !== 200) throw notOk(url, response)
  if (Buffer.compare(response.body, sent) !== 0) {
    throw fault('bytes', `${url} gave other bytes than were uploaded.`)
  }
  const [type] = response.header('content-type')
  if (!type?.startsWith(sentType)) throw fault('type', `${url} came as ${type ?? 'no type'}.`)
}

function notOk(url: string, { status, header }: WebResponse): Problem {
  const [to] = header('location')
  if (to === undefined) return fault('status', `${url} gave status ${status}.`)
  return fault(
    'status',
    `${url} gave status ${status} and leads to ${to}.`,
    prose`A rule or a Worker leads it there before the bucket is asked; the Cloudflare dashboard shows it. The one of a way out of R2 is taken away by:\n  ${toType('leave', { stage: 'redirects', undo: true })}`,
  )
}

/** The answer to `Range: bytes=4-19`. Throws Problem `public-range`. */
export function partOnly(url: string, range: WebResponse, sent: Uint8Array): void {
  if (range.status !== 206 || Buffer.compare(range.body, sent.subarray(4, 20)) !== 0) {
    throw fault('range', `Asked for bytes 4 to 19, ${url} gave status ${range.status}.`)
  }
}

/** Answers to the same URL without and with Origin. Throws `public-cors` or `public-cors-twice`. */
export function corsOnce(
  url: string,
  plain: WebResponse,
  scripted: WebResponse,
  origin: string,
): void {
  const name = 'access-control-allow-origin'
  const [without, withOrigin] = [plain.header(name), scripted.header(name)]
  if (without.length > 1 || withOrigin.length > 1) {
    throw fault(
      'cors-twice',
      `${url} sends Access-Control-Allow-Origin twice; browsers refuse that.`,
      "Remove the Transform Rule (or other rule) that adds it; the bucket's own rule is enough.",
    )
  }
  const [allowed] = withOrigin
  if (allowed !== '*' && allowed !== origin) {
    throw fault('cors', `${url} does not allow ${origin} (${allowed ?? 'no CORS header'}).`)
  }
}

/** Throws Problem `media-host-lists`. */
export function notListing(host: string, top: WebResponse): void {
  if (top.status !== 200 || !new TextDecoder().decode(top.body).includes('<ListBucketResult'))
    return
  throw new Problem({
    code: 'media-host-lists',
    what: `https://${host}/ lists what is in the bucket.`,
    why: 'Everyone could find every file, those of suspended users and archives included.',
    next: 'Something other than R2 answers there (a Worker?). Remove it, and run this again.',
  })
}

function fault(code: string, what: string, next?: Text): Problem {
  return new Problem({
    code: `public-${code}`,
    what,
    why: 'The media host does not serve what was uploaded to the bucket.',
    next: next ?? 'Wait some minutes and run this again; it goes on from here.',
  })
}
