import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pagePolicy, workerPolicy } from '../../../src/check/areas/pages.ts'
import { publicWebChecks } from '../../../src/check/areas/public-web.ts'
import { openDoor } from '../../../src/check/areas/storage-door.ts'
import { sharedLook } from '../../../src/core/once.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { CheckWorld } from '../../../src/plan/verdict.ts'
import { createAuthority } from '../../../src/sandbox/certificate.ts'
import { png } from '../../../src/sandbox/mastodon/png.ts'
import { seededRandom } from '../../../src/sandbox/mastodon/seeded-random.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectPublicWeb } from '../../../src/services/public-web/client.ts'
import type { PublicWebPort } from '../../../src/services/public-web/port.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { S3Key } from '../../../src/services/s3/port.ts'
import { installationOf } from '../../fakes/fake-world.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'
import { type Policies, policyOf, startInstance } from './browsed-instance.ts'
import { browserMissing, type Page, startChromium } from './chromium.ts'
import { verdictsOf } from './verdicts.ts'

/** Where `npm run pictures` wants to have them. */
const PICTURES = process.env.MASTODON_R2_PICTURES ?? ''

const OWN = 'social.example.com'
const MEDIA = 'files.example.com'
const BUCKET = 'media'
const announced = policyOf(OWN, MEDIA)
const anyone = [{ allowed: { origins: ['*'], methods: ['GET', 'HEAD'] } }]

/** One second of silence, 16 bit mono: large enough for a player to ask for parts of it. */
function wav(): Uint8Array {
  const data = Buffer.alloc(48_000 * 2 * 20)
  const head = Buffer.from('RIFF....WAVEfmt ')
  head.writeUInt32LE(36 + data.length, 4)
  const form = Buffer.alloc(20)
  form.writeUInt32LE(16, 0)
  form.writeUInt16LE(1, 4)
  form.writeUInt16LE(1, 6)
  form.writeUInt32LE(48_000, 8)
  form.writeUInt32LE(96_000, 12)
  form.writeUInt16LE(2, 16)
  form.writeUInt16LE(16, 18)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(data.length)
  return new Uint8Array(Buffer.concat([head, form, Buffer.from('data'), size, data]))
}

/** Each says whether the page got it. */
const asks = {
  picture: (url: string) => `new Promise((done) => {
    const it = new Image(); it.onload = () => done(true); it.onerror = () => done(false)
    it.src = '${url}'; it.alt = 'a picture'; document.querySelector('main').append(it) })`,
  audio: (url: string) => `new Promise((done) => {
    const it = new Audio(); it.crossOrigin = 'anonymous'
    it.controls = true; document.querySelector('main').append(it)
    it.onloadedmetadata = () => done(true); it.onerror = () => done(false); it.src = '${url}' })`,
  video: (url: string) => `new Promise((done) => {
    const it = document.createElement('video'); it.onerror = () => done(false)
    it.onloadedmetadata = () => { it.currentTime = 18 }
    it.onseeked = () => done(it.currentTime === 18); it.src = '${url}' })`,
  script: (url: string) => `fetch('${url}').then(({ ok }) => ok, () => false)`,
}
type Ask = keyof typeof asks

const WORKER = `navigator.serviceWorker.register('/sw.js').then(() => new Promise((done) => {
  const ready = () => navigator.serviceWorker.controller && done(true)
  navigator.serviceWorker.addEventListener('controllerchange', ready); ready() }))`

describe.skipIf(browserMissing)(`a real browser and check ${browserMissing ?? ''}`, () => {
  const policies: Policies = { page: announced, worker: undefined }
  let sandbox: Sandbox
  let instance: Awaited<ReturnType<typeof startInstance>>
  let browser: Awaited<ReturnType<typeof startChromium>>
  let world: Partial<CheckWorld>

  beforeAll(async () => {
    sandbox = await startSandbox({
      domainMs: 0,
      keyMs: 0,
      emulator: 'eager',
      startEmulator: lendEmulator,
    })
    const authority = createAuthority()
    instance = await startInstance(OWN, authority, policies)
    const port = Number(sandbox.connectTo[0]?.split(':').at(-1))
    browser = await startChromium({ [OWN]: instance.port, [MEDIA]: port })
    const key = addBucket(sandbox)
    const s3 = connectS3({ endpoint: sandbox.s3Url(), bucket: BUCKET, key })
    const put = (name: string, body: Uint8Array, contentType: string) =>
      s3.put(name, body, { contentType, cacheControl: 'no-store' })
    const photo = png(96, seededRandom(1))
    await put('a.png', new Uint8Array(photo), 'image/png')
    await put('a.wav', wav(), 'audio/wav')
    world = worldOf(key, sandbox, [
      { host: OWN, port: instance.port, ca: authority.pem },
      { host: MEDIA, port, ca: sandbox.caPem },
    ])
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    instance?.close()
    await sandbox?.close()
  })

  /** Sets the stage, asks the browser for each of the four and `check` for its verdicts. */
  async function judged(
    { page = announced, worker, cors = anyone, headers = {} }: Stage,
    things: readonly Ask[] = ['picture', 'audio', 'video', 'script'],
    picture?: string,
  ) {
    Object.assign(policies, { page, worker: worker?.first })
    const [bucket] = sandbox.world.buckets
    if (bucket) bucket.cors = cors
    setHeaders(sandbox, headers)
    const tab: Page = await browser.page()
    try {
      await tab.open(`https://${OWN}/`)
      if (worker) await tab.ask(WORKER)
      policies.worker = worker?.now
      const got: Partial<Record<Ask, boolean>> = {}
      for (const thing of things) {
        const file = thing === 'audio' || thing === 'video' ? 'a.wav' : 'a.png'
        got[thing] = await tab.ask<boolean>(asks[thing](`https://${MEDIA}/${file}`))
      }
      if (picture !== undefined) await writeFile(picture, await tab.picture())
      return got
    } finally {
      await tab.close()
    }
  }

  async function faults(): Promise<string[]> {
    const checks = [pagePolicy, workerPolicy, ...publicWebChecks(sharedLook(openDoor))]
    const found = await verdictsOf(checks, world)
    return found
      .filter(({ verdict }) => /fault|warning/.test(verdict.severity))
      .map(({ id, verdict }) => `${id} ${verdict.severity}`)
  }

  const all = { picture: true, audio: true, video: true, script: true }
  const none = { picture: false, audio: false, video: false, script: false }

  it.each<[string, Stage, object, string[]]>([
    ['all is right', {}, all, []],
    ['the host is not announced', { page: policyOf(OWN) }, none, ['instance-csp fault']],
    [
      'no CORS rule: pictures and players of the page alone go on',
      { cors: [] },
      { ...all, audio: false, script: false },
      ['public-cors fault'],
    ],
    [
      'two CORS headers',
      { headers: { 'access-control-allow-origin': 'https://other.example' } },
      { ...all, audio: false, script: false },
      ['public-cors fault'],
    ],
    [
      'a wrong type under nosniff: what is fetched by CORS goes on, even a player',
      { headers: { 'content-type': 'text/html', 'x-content-type-options': 'nosniff' } },
      { picture: false, audio: true, video: false, script: true },
      ['public-content fault'],
    ],
    ['the right type under nosniff', { headers: { 'x-content-type-options': 'nosniff' } }, all, []],
    [
      'a service worker that has the old policy',
      { worker: { first: policyOf(OWN), now: policyOf(OWN) } },
      none,
      ['service-worker-csp warning'],
    ],
    [
      'a service worker that has the new one',
      { worker: { first: announced, now: announced } },
      all,
      [],
    ],
  ])('%s', async (_, stage, shown, expected) => {
    expect(await judged(stage)).toEqual(shown)
    expect(await faults()).toEqual(expected)
  })

  it('a service worker keeps its policy when the server has a new one already', async () => {
    const worker = { first: policyOf(OWN), now: announced }
    expect(await judged({ worker }, ['picture'])).toEqual({ picture: false })
    expect(await faults()).toEqual([])
  })

  // Not skipped, but not there: a skipped test is a fault where all is required.
  if (PICTURES !== '') {
    it.each<[string, Stage]>([
      ['refused', { page: policyOf(OWN) }],
      ['shown', {}],
    ])('pictures for docs/troubleshooting: %s', async (name, stage) => {
      await mkdir(PICTURES, { recursive: true })
      await judged(stage, ['picture', 'audio'], join(PICTURES, `media-${name}.png`))
    })
  }

  it('a player asks for parts of the file', () => {
    const asked = sandbox.log.filter(({ path, status }) => path === '/a.wav' && status === 206)
    expect(asked.length).toBeGreaterThan(0)
  })
})

interface Stage {
  readonly page?: string
  /** The policy with which it was installed, and the one that it is sent with now. */
  readonly worker?: { readonly first: string; readonly now: string }
  readonly cors?: unknown[]
  /** Set by a Transform Rule on the media host. */
  readonly headers?: Readonly<Record<string, string>>
}

function addBucket({ world, accountId }: Sandbox): S3Key {
  const [zone] = world.zones
  world.buckets.push({
    accountId,
    jurisdiction: 'default',
    name: BUCKET,
    location: 'weur',
    createdAt: 0,
    slot: BUCKET,
    devUrlEnabled: false,
    cors: undefined,
    lifecycle: [],
    domains: [{ host: MEDIA, zoneId: zone?.id ?? '', enabled: true, attachedAt: 0, minTLS: '1.2' }],
  })
  const [id, value] = [randomBytes(16).toString('hex'), randomBytes(20).toString('hex')]
  const group = { id: '2efd5506f9c8494dacb1fa10a3e7d5b6' }
  const resources = { [`com.cloudflare.edge.r2.bucket.${accountId}_default_${BUCKET}`]: '*' }
  world.tokens.push({
    id,
    name: 'browser',
    value,
    kind: 'account',
    accountId,
    status: 'active',
    policies: [{ effect: 'allow', permission_groups: [group], resources }],
    condition: undefined,
    expiresOn: undefined,
    issuedAt: 0,
  })
  const secret = createHash('sha256').update(value).digest('hex')
  return { accessKeyId: id, secretAccessKey: new Secret(secret) }
}

function setHeaders({ world }: Sandbox, headers: Readonly<Record<string, string>>): void {
  world.edge.rulesets.splice(0)
  const set = Object.entries(headers).map(([name, value]) => [name, { operation: 'set', value }])
  if (set.length === 0) return
  const rule = {
    id: 'r',
    ref: 'r',
    description: '',
    expression: `(http.host eq "${MEDIA}")`,
    action: 'rewrite',
    parameters: { headers: Object.fromEntries(set) },
    enabled: true,
    version: 1,
    updatedAt: 0,
  }
  const phase = 'http_response_headers_transform' as const
  const [zone] = world.zones
  const of = {
    id: phase,
    owner: zone?.id ?? '',
    kind: 'zone',
    phase,
    name: '',
    description: '',
  } as const
  world.edge.rulesets.push({ ...of, rules: [rule], version: 1, updatedAt: 0 })
}

/** What the checks of the web need; each host is reached at its port, its authority trusted. */
function worldOf(
  key: S3Key,
  sandbox: Sandbox,
  hosts: readonly { host: string; port: number; ca: string }[],
): Partial<CheckWorld> {
  const connectTo = hosts.map(({ host, port }) => {
    return { host, port: '443', toHost: '127.0.0.1', toPort: String(port) }
  })
  const web: PublicWebPort = connectPublicWeb({
    connectTo,
    ca: hosts.map(({ ca }) => ca).join('\n'),
  })
  const endpoint = sandbox.s3Url()
  const names = ['S3_ENDPOINT', 'S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
  const settings = new Map(names.map((name) => [name, { value: 'set', from: '.env.production' }]))
  const connect = (own: S3Key) => connectS3({ endpoint, bucket: BUCKET, key: own })
  return {
    web,
    connectS3: connect,
    connectS3At: () => connect,
    installation: installationOf({ settings, localDomain: OWN }),
    clock: {
      now: () => new Date(),
      sleep: () => Promise.resolve(),
      randomHex: (length) => randomBytes(length).toString('hex').slice(0, length),
    },
    storage: {
      enabled: true,
      endpoint,
      bucket: BUCKET,
      mediaHost: MEDIA,
      isR2: true,
      accountId: undefined,
      jurisdiction: undefined,
      key,
    } as CheckWorld['storage'],
  }
}
