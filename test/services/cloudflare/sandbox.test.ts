import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { CloudflarePort, KeyOwner } from '../../../src/services/cloudflare/port.ts'
import { thrownBy } from './api-stub.ts'
import { heldAgainstTheDescription } from './held.ts'

const GROUP = '2efd5506f9c8494dacb1fa10a3e7d5b6'
const HOST = 'files.social.example.com'
let faults: string[] = []

beforeEach(() => {
  faults = []
})
afterEach(() => {
  expect(faults).toEqual([])
})

function clientOf(sandbox: Sandbox): CloudflarePort {
  return connectCloudflare({
    token: sandbox.bootstrapToken,
    baseUrl: sandbox.apiUrl,
    sleep: async () => {},
    send: heldAgainstTheDescription((found) => faults.push(...found)),
  })
}

async function withSandbox(options: SandboxOptions, work: (sandbox: Sandbox) => Promise<void>) {
  const sandbox = await startSandbox({ domainMs: 0, keyMs: 0, ...options })
  try {
    await work(sandbox)
  } finally {
    await sandbox.close()
  }
}

describe.each(['account', 'user'] as const)('with an %s token', (tokenKind) => {
  let sandbox: Sandbox
  let client: CloudflarePort
  let owner: KeyOwner
  beforeAll(async () => {
    sandbox = await startSandbox({ domainMs: 0, keyMs: 0, tokenKind })
    client = clientOf(sandbox)
    owner =
      tokenKind === 'user' ? { kind: 'user' } : { kind: 'account', accountId: sandbox.accountId }
  })
  afterAll(() => sandbox.close())
  const at = () => ({ accountId: sandbox.accountId, bucket: 'media', jurisdiction: 'eu' }) as const

  test('the token is identified, and sees its account and zone', async () => {
    expect(await client.identifyToken()).toMatchObject({ kind: tokenKind, status: 'active' })
    expect((await client.listAccounts()).map(({ id }) => id)).toEqual([sandbox.accountId])
    const zone = await client.findZone(HOST)
    expect(zone).toMatchObject({ name: 'example.com', status: 'active', type: 'full' })
    expect(await client.listZones(sandbox.accountId)).toEqual([zone])
  })

  test('its permissions are there', async () => {
    const zone = await client.findZone(HOST)
    const scope = { accountId: sandbox.accountId, zoneId: zone?.id ?? '' }
    const wanted = ['r2', `${tokenKind}-tokens`, 'zone', 'dns'] as const
    const answers = await Promise.all(wanted.map((permission) => client.can(permission, scope)))
    expect(answers).toEqual([true, true, true, true])
    const token = await client.identifyToken()
    const groups = await client.ownPermissionGroups(token, sandbox.accountId)
    expect(groups).toContain('Workers R2 Storage Write')
  })

  test('a bucket gets its domain, rules and key', async () => {
    expect(await client.findBucket(at())).toBeUndefined()
    expect(await client.createBucket(at())).toBe('created')
    expect(await client.createBucket(at())).toBe('exists')
    expect(await client.findBucket(at())).toMatchObject({ name: 'media' })
    expect(await client.findBucket({ ...at(), jurisdiction: 'default' })).toBeUndefined()
    expect(await client.hasObjects(at())).toBe(false)
    expect(await client.listBuckets(sandbox.accountId, 'eu')).toEqual(['media'])
    expect(await client.listBuckets(sandbox.accountId, 'default')).toEqual([])

    const zone = await client.findZone(HOST)
    expect(await client.listDnsRecords(zone?.id ?? '', HOST)).toEqual([])
    expect(await client.findCustomDomain(at(), HOST)).toBeUndefined()
    await client.attachCustomDomain(at(), HOST, zone?.id ?? '')
    await client.attachCustomDomain(at(), HOST, zone?.id ?? '')
    await client.enableCustomDomain(at(), HOST)
    expect(await client.findCustomDomain(at(), HOST)).toEqual({
      host: HOST,
      enabled: true,
      ownership: 'active',
      ssl: 'active',
    })
    expect(await client.listDnsRecords(zone?.id ?? '', HOST)).toMatchObject([{ type: 'CNAME' }])
    await client.disableDevUrl(at())
    expect(await client.isDevUrlEnabled(at())).toBe(false)

    expect(await client.getCors(at())).toEqual([])
    const cors = [{ id: 'ours', allowed: { origins: ['*'], methods: ['GET', 'HEAD'] as const } }]
    await client.putCors(at(), cors as never)
    expect(await client.getCors(at())).toEqual(cors)

    const condition = { type: 'Age', maxAge: 604_800 } as const
    const rule = { id: 'abort', enabled: true, conditions: { prefix: '' } }
    await client.putLifecycle(at(), [{ ...rule, abortMultipartUploadsTransition: { condition } }])
    expect(await client.getLifecycle(at())).toMatchObject([rule])
  })

  test('a key is minted, listed, renamed and revoked', async () => {
    const wish = { name: 'mastodon-r2-setup media x', at: at(), allowIps: ['192.0.2.0/24'] }
    const key = await client.mintKey(owner, { ...wish, expiresOn: '2040-01-01T00:00:00Z' })
    const made = sandbox.world.tokens.find(({ id }) => id === key.id)
    const hash = createHash('sha256')
      .update(made?.value ?? '')
      .digest('hex')
    expect(key.secretAccessKey.reveal()).toBe(hash)
    const resource = `com.cloudflare.edge.r2.bucket.${sandbox.accountId}_eu_media`
    expect(made?.policies).toMatchObject([
      { permission_groups: [{ id: GROUP }], resources: { [resource]: '*' } },
    ])

    const [listed] = await client.listKeys(owner, 'mastodon-r2-setup ')
    expect(listed).toMatchObject({ id: key.id, expiresOn: '2040-01-01T00:00:00Z' })
    const before = structuredClone({ ...made, name: '' })
    await client.renameKey(owner, listed!, 'mastodon-r2 media x')
    const after = sandbox.world.tokens.find(({ id }) => id === key.id)
    expect(after?.name).toBe('mastodon-r2 media x')
    expect({ ...after, name: '', policies: [] }).toMatchObject({ ...before, policies: [] })
    expect(await client.findKey(owner, key.id)).toMatchObject({ name: 'mastodon-r2 media x' })

    await client.disableKey(owner, (await client.findKey(owner, key.id))!)
    const off = sandbox.world.tokens.find(({ id }) => id === key.id)
    const { policies: _, ...kept } = { ...before, name: 'mastodon-r2 media x', status: 'disabled' }
    expect(off).toMatchObject(kept)
    expect(await client.findKey(owner, key.id)).toMatchObject({
      status: 'disabled',
      limits: { only: at(), allowIps: ['192.0.2.0/24'], refuseIps: [] },
    })

    await client.revokeKey(owner, key.id)
    await client.revokeKey(owner, key.id)
    expect(await client.findKey(owner, key.id)).toBeUndefined()
  })
})

test('changes whose answer is lost are found again', () =>
  withSandbox({}, async (sandbox) => {
    const client = clientOf(sandbox)
    const at = { accountId: sandbox.accountId, bucket: 'media', jurisdiction: 'default' } as const
    const lost = { side: 'api', method: 'POST', kind: 'applied-then-reset' } as const
    sandbox.faults.add({ ...lost, path: '/buckets' })
    expect(await client.createBucket(at)).toBe('exists')

    const zone = await client.findZone(HOST)
    sandbox.faults.add({ ...lost, path: '/custom' })
    await client.attachCustomDomain(at, HOST, zone?.id ?? '')
    expect(sandbox.world.buckets[0]?.domains).toHaveLength(1)

    const owner = { kind: 'account', accountId: sandbox.accountId } as const
    sandbox.faults.add({ ...lost, path: '/tokens' })
    const minting = client.mintKey(owner, { name: 'only', at, allowIps: [] })
    expect((await thrownBy(minting)).code).toBe('cloudflare-answer-lost')
    expect(await client.listKeys(owner, 'only')).toHaveLength(1)
  }))

test.each(['status', 'reset', 'malformed', 'unsuccessful'] as const)('a fault: %s', (kind) =>
  withSandbox({}, async (sandbox) => {
    sandbox.faults.add({ side: 'api', kind, status: 503 })
    const outcome = await clientOf(sandbox)
      .listZones()
      .then(
        (zones) => zones.length,
        (error: { code: string }) => error.code.replace(/\d+/, 'N'),
      )
    const expected = {
      status: 1,
      reset: 1,
      malformed: 'cloudflare-garbled',
      unsuccessful: 'cloudflare-N',
    }
    expect(outcome).toBe(expected[kind])
  }),
)

test('R2 not switched on', () =>
  withSandbox({ r2Enabled: false }, async (sandbox) => {
    const client = clientOf(sandbox)
    const at = { accountId: sandbox.accountId, bucket: 'media', jurisdiction: 'default' } as const
    expect(await client.can('r2', at)).toBe(true)
    expect((await thrownBy(client.findBucket(at))).code).toBe('cloudflare-10042')
  }))

test('a token that may do nothing', () =>
  withSandbox({ permissions: [] }, async (sandbox) => {
    const client = clientOf(sandbox)
    const [zone] = sandbox.world.zones
    const scope = { accountId: sandbox.accountId, zoneId: zone?.id ?? '' }
    const all = ['r2', 'account-tokens', 'user-tokens', 'zone', 'dns'] as const
    const answers = await Promise.all(all.map((permission) => client.can(permission, scope)))
    expect(answers).toEqual([false, false, false, false, false])
    const token = await client.identifyToken(sandbox.accountId)
    expect(await client.ownPermissionGroups(token, sandbox.accountId)).toBeUndefined()
  }))

test('more zones than a page holds', () => {
  const zones = Array.from({ length: 120 }, (_, index) => ({ name: `z${index}.example` }))
  return withSandbox({ zones }, async (sandbox) => {
    expect(await clientOf(sandbox).listZones()).toHaveLength(120)
    expect(sandbox.log).toHaveLength(3)
  })
})
