import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { ENV, LOCAL_DOMAIN, type Machine } from './machine.ts'
import { HOST, keysOf, openStage, type Stage } from './stage.ts'

type World = Stage['sandbox']['world']

interface Refusal {
  readonly name: string
  readonly options?: Parameters<typeof openStage>[0]
  readonly arrange?: (world: World, stage: Stage) => void
  readonly machine?: (stage: Stage) => Machine
  readonly args?: readonly string[]
  readonly code: number
  readonly problem: string
  readonly words: (stage: Stage, at: Machine) => readonly string[]
}

const media = { 'lib/mastodon/version.rb': '', 'public/system/a/1.png': 'png' }

/** Nothing that is refused before the first change may leave a trace. */
const refusals: Refusal[] = [
  {
    name: 'a stronger env file',
    machine: (stage) =>
      stage.machine(LOCAL_DOMAIN, { [`${ENV}.local`]: 'S3_ENABLED=false\nS3_BUCKET=old\n' }),
    args: ['--media-host', HOST, '--mastodon-env', ENV],
    code: 2,
    problem: 'env-file-shadowed',
    words: (_, at) => [at.path(`${ENV}.local`), 'S3_ENABLED, S3_BUCKET', '--mastodon-env'],
  },
  {
    name: 'a stronger env file with a key in it',
    machine: (stage) =>
      stage.machine(LOCAL_DOMAIN, { [`${ENV}.local`]: 'AWS_SECRET_ACCESS_KEY=\n' }),
    code: 2,
    problem: 'env-file-shadowed',
    words: (_, at) => [at.path(`${ENV}.local`), 'AWS_SECRET_ACCESS_KEY'],
  },
  {
    name: 'media on this server and no word about it',
    machine: (stage) => stage.machine(LOCAL_DOMAIN, media),
    code: 2,
    problem: 'settings-missing',
    words: () => ['--existing-media prepare|switch'],
  },
  {
    name: 'media at another provider and no word about it',
    machine: (stage) =>
      stage.machine(`${LOCAL_DOMAIN}S3_ENABLED=true\nS3_ENDPOINT=https://s3.wasabisys.com\n`),
    code: 2,
    problem: 'settings-missing',
    words: () => ['--existing-media prepare|switch'],
  },
  {
    name: 'a token that only reads',
    options: {
      permissions: ['Workers R2 Storage Read', 'Account API Tokens Read', 'Zone Read', 'DNS Read'],
    },
    code: 1,
    problem: 'permissions-missing',
    words: () => ['R2 Storage', 'API Tokens', 'bucket, custom domain', 'access key'],
  },
  {
    name: 'a token without DNS',
    options: {
      permissions: ['Workers R2 Storage Write', 'Account API Tokens Write', 'Zone Read'],
    },
    code: 1,
    problem: 'permissions-missing',
    words: () => ['DNS', 'is the host name free?'],
  },
  {
    name: 'a token of the R2 page, with the account told',
    options: { permissions: ['Workers R2 Storage Write'] },
    args: ['--media-host', HOST, '--account-id', 'FIRST'],
    code: 1,
    problem: 'permissions-missing',
    words: () => ['no domain', 'API Tokens', 'Zone: Read', 'DNS: Read'],
  },
  {
    name: 'a paused zone',
    options: { zones: [{ name: 'example.com', paused: true }] },
    code: 2,
    problem: 'zone-not-active',
    words: () => ['example.com is paused', 'Resume it'],
  },
  {
    name: 'R2 not enabled',
    options: { r2Enabled: false },
    code: 1,
    problem: 'cloudflare-10042',
    words: () => ['https://dash.cloudflare.com/?to=/:account/r2', 'run this again'],
  },
  {
    name: 'a zone that is pending',
    options: { zones: [{ name: 'example.com', status: 'pending' }] },
    code: 2,
    problem: 'zone-not-active',
    words: () => ['example.com', 'pending', 'name servers'],
  },
  {
    name: 'a host taken by an A record',
    arrange: ({ dnsRecords, zones }) =>
      dnsRecords.push({
        id: randomBytes(16).toString('hex'),
        zoneId: zones[0]?.id ?? '',
        name: HOST,
        type: 'A',
        content: '203.0.113.9',
        proxied: false,
      }),
    code: 2,
    problem: 'media-host-taken',
    words: () => [HOST, 'A 203.0.113.9', '--media-host'],
  },
  {
    name: 'a host that a bucket in another jurisdiction serves',
    arrange: (world) => attachElsewhere(world, 'eu'),
    code: 2,
    problem: 'media-host-attached',
    words: () => [HOST, 'old-media (jurisdiction eu)', '--bucket old-media --jurisdiction eu'],
  },
  {
    name: 'a host with a record of R2 that no bucket owns',
    arrange: (world) => {
      attachElsewhere(world, 'default')
      world.buckets.length = 0
    },
    code: 2,
    problem: 'media-host-orphaned',
    words: () => [HOST, 'no bucket of this account', 'example.com/dns/records'],
  },
  {
    name: 'a host that a bucket serves without any record',
    arrange: (world) => {
      attachElsewhere(world, 'default')
      world.dnsRecords.length = 0
    },
    code: 2,
    problem: 'media-host-attached',
    words: () => [HOST, '--bucket old-media'],
  },
  {
    name: 'two accounts',
    options: { accounts: [{ name: 'Mine' }, { name: 'Theirs' }], tokenKind: 'user' },
    code: 2,
    problem: 'account-unclear',
    words: ({ sandbox }) => [
      'Mine',
      'Theirs',
      '--account-id',
      ...sandbox.world.accounts.map(({ id }) => id),
    ],
  },
  {
    name: 'an account that the token does not see',
    args: ['--media-host', HOST, '--account-id', 'f'.repeat(32)],
    code: 2,
    problem: 'account-not-seen',
    words: ({ sandbox }) => ['f'.repeat(32), sandbox.accountId, 'Sandbox'],
  },
  {
    name: 'a zone of another account',
    options: {
      accounts: [{ name: 'Mine' }, { name: 'Theirs' }],
      zones: [{ name: 'example.com', account: 'Theirs' }],
      tokenKind: 'user',
    },
    args: ['--media-host', HOST, '--account-id', 'FIRST'],
    code: 2,
    problem: 'zone-in-other-account',
    words: ({ sandbox }) => ['Theirs', `--account-id ${sandbox.world.accounts[1]?.id}`],
  },
  {
    name: 'an unknown zone',
    args: ['--media-host', 'files.example.net'],
    code: 2,
    problem: 'zone-not-found',
    words: () => ['files.example.net', 'example.com'],
  },
  {
    name: 'an expired token',
    options: { tokenKind: 'user' },
    arrange: ({ tokens }) => {
      for (const token of tokens) token.status = 'expired'
    },
    code: 2,
    problem: 'token-inactive',
    words: () => ['expired', 'Make a new API token'],
  },
]

test.concurrent.each(refusals)('$name', async (refusal) => {
  const { options, arrange, args = ['--media-host', HOST], code, problem, words } = refusal
  const stage = await openStage(options)
  try {
    arrange?.(stage.sandbox.world, stage)
    const at = refusal.machine?.(stage) ?? stage.machine()
    const before = at.files()
    const given = args.map((arg) => (arg === 'FIRST' ? stage.sandbox.accountId : arg))
    const { stdout, code: ended } = await stage.initHere(at, [...given, '--json'])
    const report = JSON.parse(stdout)
    expect({ code: ended, problem: report.problem?.code }).toEqual({ code, problem })
    const said = Object.values(report.problem).join('\n')
    for (const word of words(stage, at)) expect(said).toContain(word)
    expect(at.files()).toEqual(before)
    expect(keysOf(stage.sandbox)).toEqual([])
    expect(stage.writes()).toEqual([])
  } finally {
    await stage.close()
  }
})

test.concurrent('a user’s token sets up as well', async () => {
  const stage = await openStage({ tokenKind: 'user' })
  try {
    const at = stage.machine()
    const { code, stdout } = await stage.initHere(at, [
      '--media-host',
      HOST,
      '--token-kind',
      'user',
    ])
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(stage.sandbox.world.tokens.map(({ kind }) => kind)).toEqual(['user', 'user'])
    expect(at.read()).toContain(`AWS_ACCESS_KEY_ID=${keysOf(stage.sandbox)[0]?.id}\n`)
  } finally {
    await stage.close()
  }
})

/** As Cloudflare does it: the domain on the bucket, and its record in the zone. */
function attachElsewhere({ accounts, buckets, zones, dnsRecords }: World, jurisdiction: string) {
  const zoneId = zones[0]?.id ?? ''
  buckets.push({
    accountId: accounts[0]?.id ?? '',
    jurisdiction,
    name: 'old-media',
    location: 'weur',
    createdAt: 0,
    slot: 'old-media',
    devUrlEnabled: false,
    cors: undefined,
    lifecycle: [],
    domains: [{ host: HOST, zoneId, enabled: true, attachedAt: 0, minTLS: '1.0' }],
  })
  const record = { name: HOST, type: 'CNAME', content: 'public.r2.dev', proxied: true }
  dnsRecords.push({ id: randomBytes(16).toString('hex'), zoneId, ...record })
}
