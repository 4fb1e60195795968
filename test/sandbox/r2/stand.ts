import { randomBytes } from 'node:crypto'
import type { SandboxContext } from '../../../src/sandbox/doorway.ts'
import { createEdgeState } from '../../../src/sandbox/edge/state.ts'
import { sha256Hex } from '../../../src/sandbox/r2/authenticate.ts'
import { createEmulatorPool, type EmulatorPool } from '../../../src/sandbox/r2/emulator.ts'
import { startFront } from '../../../src/sandbox/r2/front.ts'
import type {
  LoggedRequest,
  SandboxBucket,
  SandboxToken,
  World,
} from '../../../src/sandbox/world.ts'
import { createFaults, type Faults } from '../../../src/sandbox/world.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'

export const ACCOUNT = 'a'.repeat(32)
export const ITEM_WRITE = '2efd5506f9c8494dacb1fa10a3e7d5b6'
export const ITEM_READ = '6a018a9f2fc74eb6b293b0c548f38b39'
export const STORAGE_WRITE = 'bf7481a1826f439697cb59a20b22293e'

export interface Stand extends SandboxContext {
  readonly pool: EmulatorPool
  readonly faults: Faults
  readonly entries: LoggedRequest[]
  /** Set it to move the clock; real time unless set. */
  now: number | undefined
}

/** An empty world with an emulator that starts when a test first needs it. */
export function createStand(): Stand {
  const world: World = {
    accounts: [{ id: ACCOUNT, name: 'Test', r2Enabled: true }],
    zones: [],
    dnsRecords: [],
    buckets: [],
    tokens: [],
    delays: { domainMs: 0, keyMs: 0, requestMs: 0 },
    edge: createEdgeState(),
    analytics: { operations: [], storage: [] },
  }
  const entries: LoggedRequest[] = []
  const stand: Stand = {
    world,
    entries,
    faults: createFaults(),
    now: undefined,
    clock: () => stand.now ?? Date.now(),
    log: (entry) => void entries.push(entry),
    pool: createEmulatorPool(world, () => lendEmulator(8)),
  }
  return stand
}

export function addBucket(world: World, name: string, wish: Partial<SandboxBucket> = {}) {
  const bucket: SandboxBucket = {
    accountId: ACCOUNT,
    jurisdiction: 'default',
    name,
    location: 'weur',
    createdAt: 0,
    slot: `${name}-${world.buckets.length}`,
    devUrlEnabled: false,
    cors: undefined,
    lifecycle: [],
    domains: [],
    ...wish,
  }
  world.buckets.push(bucket)
  return bucket
}

export function bucketResource(name: string, jurisdiction = 'default'): string {
  return `com.cloudflare.edge.r2.bucket.${ACCOUNT}_${jurisdiction}_${name}`
}

export interface TestKey {
  readonly token: SandboxToken
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** A token on one resource with one permission group. */
export function addKey(
  world: World,
  resources: Record<string, unknown>,
  group = ITEM_WRITE,
  wish: Partial<SandboxToken> = {},
): TestKey {
  const value = `cfat_${randomBytes(20).toString('hex')}`
  const token: SandboxToken = {
    id: randomBytes(16).toString('hex'),
    name: 'test',
    value,
    kind: 'account',
    accountId: ACCOUNT,
    status: 'active',
    policies: [{ effect: 'allow', permission_groups: [{ id: group }], resources }],
    condition: undefined,
    expiresOn: undefined,
    issuedAt: 0,
    ...wish,
  }
  world.tokens.push(token)
  const credentials = { accessKeyId: token.id, secretAccessKey: sha256Hex(token.value) }
  return { token, credentials }
}

export function startTestFront(stand: Stand, jurisdiction = 'default', silentContinue = false) {
  return startFront(stand, { jurisdiction, pool: stand.pool, silentContinue })
}
