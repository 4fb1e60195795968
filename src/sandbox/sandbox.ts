import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Secret } from '../core/secret.ts'
import { startApi } from './api/server.ts'
import { createSlurper } from './api/slurper.ts'
import type { SlurperSwitches } from './api/slurper-run.ts'
import { createAuthority } from './certificate.ts'
import type { SandboxContext } from './doorway.ts'
import { startPublicHost } from './edge/public-host.ts'
import { type Mastodon, type MastodonOptions, startMastodon } from './mastodon/mastodon.ts'
import { createEmulatorPool, type Emulator, locateMiniflare, startEmulator } from './r2/emulator.ts'
import { type Front, startFront } from './r2/front.ts'
import { listObjects } from './r2/listing.ts'
import { type SeedOptions, seedWorld } from './seed.ts'
import type { Delays, LoggedRequest, World } from './world.ts'
import { createFaults, type Faults } from './world.ts'

export interface SandboxOptions
  extends Partial<Delays>,
    Pick<SeedOptions, 'accounts' | 'zones' | 'tokenKind' | 'permissions' | 'expiresOn'> {
  /** false: the person has not bought R2 yet, every bucket call is refused with 10042. */
  readonly r2Enabled?: boolean
  /** Where the scratch folder is made; the system's folder for temporary files unless told. */
  readonly dir?: string
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** `lazy` (unless told): the first S3 or public request pays its second of start. */
  readonly emulator?: 'lazy' | 'eager'
  /** Gives the emulator in place of one of its own: tests lend one process to many sandboxes. */
  readonly startEmulator?: (slots: number) => Promise<Emulator>
  /** true: uploads wait in vain for `100 Continue`, as they do at R2. */
  readonly silentContinue?: boolean
  /** true: reads by part number are refused with 501, as Cloudflare's emulator does; R2 knows them. */
  readonly refusesParts?: boolean
  /** S3 requests above so many a second are refused (429), until the faults are cleared. */
  readonly s3PerSecond?: number | undefined
  /** What Super Slurper does or does not; see the type. */
  readonly slurper?: Partial<SlurperSwitches>
  /** A Mastodon with media on its disk, whose pages are public; none unless told. */
  readonly mastodon?: MastodonOptions | undefined
}

/** A Cloudflare on this machine: everything on 127.0.0.1, gone without a trace after close. */
export interface Sandbox {
  /** For CLOUDFLARE_BASE_URL. */
  readonly apiUrl: string
  /** S3 endpoint of a jurisdiction, path style; `default` unless told. */
  s3Url(jurisdiction?: string): string
  /** For each public host, in the form of curl's --connect-to. */
  readonly connectTo: readonly string[]
  /** Certificate of the authority behind the public hosts, PEM. */
  readonly caFile: string
  readonly caPem: string
  readonly bootstrapToken: Secret
  /** The first account. */
  readonly accountId: string
  readonly world: World
  readonly log: readonly LoggedRequest[]
  readonly faults: Faults
  /** They can be thrown while jobs run. */
  readonly slurper: SlurperSwitches
  /** When it was wished for. */
  readonly mastodon: Mastodon | undefined
  close(): Promise<void>
}

const jurisdictions = ['default', 'eu', 'us', 'fedramp', 'fedramp-high'] as const
const SLOTS = 32

/** Throws Problem `sandbox-needs-miniflare`; when eager `sandbox-emulator-failed`, too. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { world, bootstrapToken } = seed(options)
  const log: LoggedRequest[] = []
  const clock = options.clock ?? Date.now
  const faults = createFaults(clock)
  const above = options.s3PerSecond
  if (above !== undefined) faults.add({ side: 's3', kind: 'status', status: 429, above })
  const context: SandboxContext = { world, faults, clock, log: (entry) => void log.push(entry) }
  const undo: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const dir = await mkdtemp(join(options.dir ?? tmpdir(), 'mastodon-r2-sandbox-'))
    undo.push(() => rm(dir, { recursive: true, force: true }))
    const authority = createAuthority()
    const caFile = join(dir, 'ca.pem')
    await writeFile(caFile, authority.pem)
    const persist = join(dir, 'objects')
    await locateMiniflare()
    const { startEmulator: start = (slots) => startEmulator({ slots, persist }) } = options
    const pool = createEmulatorPool(world, () => start(SLOTS))
    undo.push(() => pool.close())
    if (options.emulator === 'eager') await pool.start()
    const fronts = new Map<string, Front>()
    for (const jurisdiction of jurisdictions) {
      const { silentContinue = false, refusesParts = false } = options
      const wishes = { jurisdiction, pool, silentContinue, refusesParts }
      const front = await startFront(context, wishes)
      undo.push(() => front.close())
      fronts.set(jurisdiction, front)
    }
    const mastodon = options.mastodon && (await addMastodon(world, dir, fronts, options.mastodon))
    undo.push(async () => mastodon?.close())
    const publicHost = await startPublicHost(context, { pool, authority, instance: mastodon })
    undo.push(() => publicHost.close())
    const slurper = createSlurper({
      s3Url: (jurisdiction) => fronts.get(jurisdiction)?.url,
      switches: options.slurper,
      now: clock,
    })
    undo.push(() => slurper.close())
    const api = await startApi(world, {
      log: context.log,
      readLog: () => log,
      faults,
      clock,
      listObjects: (bucket, query) => listObjects(pool, bucket, query),
      maxBuckets: SLOTS,
      slurper,
    })
    undo.push(() => api.close())
    return {
      apiUrl: api.url,
      s3Url: (jurisdiction = 'default') => urlOf(fronts, jurisdiction),
      connectTo: [`::127.0.0.1:${publicHost.port}`],
      caFile,
      caPem: authority.pem,
      bootstrapToken,
      accountId: world.accounts[0]?.id ?? '',
      world,
      log,
      faults,
      slurper: slurper.switches,
      mastodon,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * What a person exports to point the tool at a sandbox, and the flags that have no variable. The
 * token is shown in clear: it opens nothing but this sandbox.
 */
export function exports(sandbox: Sandbox): Record<string, string> {
  return {
    CLOUDFLARE_BASE_URL: sandbox.apiUrl,
    CLOUDFLARE_API_TOKEN: sandbox.bootstrapToken.reveal(),
    NODE_EXTRA_CA_CERTS: sandbox.caFile,
  }
}

/** The flags that go with `exports`. */
export function flags(sandbox: Sandbox): string[] {
  const connectTo = sandbox.connectTo.flatMap((value) => ['--connect-to', value])
  return ['--s3-endpoint-url', sandbox.s3Url(), ...connectTo]
}

function seed(options: SandboxOptions): ReturnType<typeof seedWorld> {
  const { domainMs = 2000, keyMs = 1000, requestMs = 0, r2Enabled = true, ...wishes } = options
  const seeded = seedWorld({ ...wishes, delays: { domainMs, keyMs, requestMs } })
  if (!r2Enabled) for (const account of seeded.world.accounts) account.r2Enabled = false
  return seeded
}

/** Its address has a proxied record in the zone, as an instance behind Cloudflare has. */
async function addMastodon(
  world: World,
  dir: string,
  fronts: ReadonlyMap<string, Front>,
  options: MastodonOptions,
): Promise<Mastodon> {
  const reach = (endpoint: string) => {
    const [, place = 'default'] =
      /^https:\/\/[0-9a-f]{32}(?:\.([a-z-]+))?\.r2\.cloudflarestorage\.com/.exec(endpoint) ?? []
    return endpoint.startsWith('https:') ? urlOf(fronts, place) : endpoint
  }
  const zone = world.zones[0]
  const host = options.host ?? `social.${zone?.name ?? 'example.com'}`
  const mastodon = await startMastodon(join(dir, 'mastodon'), reach, { ...options, host })
  const record = { name: host, type: 'A', content: '192.0.2.1', proxied: true }
  if (zone)
    world.dnsRecords.push({ id: randomBytes(16).toString('hex'), zoneId: zone.id, ...record })
  return mastodon
}

function urlOf(fronts: ReadonlyMap<string, Front>, jurisdiction: string): string {
  const front = fronts.get(jurisdiction)
  if (!front) throw new Error(`The sandbox has no jurisdiction ${jurisdiction}.`)
  return front.url
}
