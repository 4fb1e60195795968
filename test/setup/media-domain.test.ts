import { describe, expect, it } from 'vitest'
import type { CustomDomain, DnsRecord, Zone } from '../../src/services/cloudflare/port.ts'
import { mediaDomain } from '../../src/setup/media-domain.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { ACCOUNT, HOST, setupOf, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const domain = (ownership: string, ssl: string, enabled = true): CustomDomain => ({
  host: HOST,
  enabled,
  ownership,
  ssl,
})
const record = (type: string, content: string): DnsRecord => ({
  type,
  name: HOST,
  content,
  proxied: true,
})
const caa = (name: string, content: string): DnsRecord => ({
  type: 'CAA',
  name,
  content,
  proxied: false,
})
const { zone } = setupOf()
const attach = `[public] serve the bucket at https://${HOST}`
const wait = `wait until ${HOST} is active: some minutes mostly, at most 15 min`

describe('looking at the custom domain', () => {
  it.each<[string, Partial<Zone>, string]>([
    ['an active zone', {}, `change ${attach}; ${wait}`],
    ['a pending zone', { status: 'pending' }, 'blocked zone-not-active'],
    ['a moved zone', { status: 'moved' }, 'blocked zone-not-active'],
    ['a paused zone', { paused: true }, 'blocked zone-not-active'],
    [
      'a zone of another account',
      { account: { id: 'c'.repeat(32), name: 'Theirs' } },
      'blocked zone-in-other-account',
    ],
  ])('%s', async (_, more, expected) => {
    const world = worldOf({ zone: { ...zone, ...more } })
    expect(found(await mediaDomain.look(world))).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('names the other account, and the flag for it', async () => {
    const account = { id: 'c'.repeat(32), name: 'Theirs' }
    const finding = await mediaDomain.look(worldOf({ zone: { ...zone, account } }))
    expect(finding).toMatchObject({ problem: { exit: 2 } })
    expect(finding.is === 'blocked' && finding.problem.what).toContain('Theirs')
    expect(finding.is === 'blocked' && finding.problem.next).toContain(`--account-id ${account.id}`)
  })

  it.each<[string, CustomDomain | undefined, string]>([
    ['active', domain('active', 'active'), `ready https://${HOST} is active`],
    ['pending', domain('pending', 'initializing'), `change ${wait}`],
    ['certificate pending', domain('active', 'pending'), `change ${wait}`],
    [
      'switched off',
      domain('active', 'active', false),
      `change [public] switch ${HOST} on for the bucket; ${wait}`,
    ],
    ['not attached', undefined, `change ${attach}; ${wait}`],
  ])('attached: %s', async (_, there, expected) => {
    const world = worldOf()
    world.cloudflare.domains = [there]
    expect(found(await mediaDomain.look(world))).toBe(expected)
  })

  it.each<[string, CustomDomain[], number, string]>([
    [
      'it passes',
      [domain('unknown', 'unknown'), domain('active', 'active')],
      200,
      `ready https://${HOST} is active`,
    ],
    [
      'it stays, and the host answers',
      [domain('unknown', 'unknown')],
      404,
      `ready https://${HOST} answers; Cloudflare does not tell its state now`,
    ],
    ['it stays, and the host is dead', [domain('unknown', 'unknown')], 530, `change ${wait}`],
  ])('both unknown: %s', async (_, states, status, expected) => {
    const world = worldOf()
    world.cloudflare.domains = states
    world.web.alter = (answer) => ({ ...answer, status })
    expect(found(await mediaDomain.look(world))).toBe(expected)
    expect(world.clock.slept).toBeLessThan(10_000)
  })

  it('what is active already was not attached by this run', async () => {
    const world = worldOf()
    world.cloudflare.domains = [domain('active', 'active')]
    const facts = { domainActive: { attached: false } }
    expect(await mediaDomain.look(world)).toMatchObject({ facts })
  })

  it.each<[string, DnsRecord, RegExp, RegExp]>([
    ['an A record', record('A', '203.0.113.7'), /A 203\.0\.113\.7/, /delete the record/],
    ['a CNAME of a web page', record('CNAME', 'pages.dev'), /CNAME pages\.dev/, /delete/],
  ])('the name is taken by %s', async (_, there, what, next) => {
    const world = worldOf()
    world.cloudflare.dns = [there]
    const finding = await mediaDomain.look(world)
    expect(found(finding)).toBe('blocked media-host-taken')
    expect(finding.is === 'blocked' && finding.problem.what).toMatch(what)
    expect(finding.is === 'blocked' && finding.problem.next).toMatch(next)
  })

  it.each<[string, Record<string, string[]>, string | undefined, DnsRecord, string, string[]]>([
    [
      'a bucket beside ours',
      { default: ['a', 'old-media'] },
      'default/old-media',
      record('CNAME', 'public.r2.dev'),
      'media-host-attached',
      ['serves the bucket old-media of', '--bucket old-media.', 'remove files.example.com'],
    ],
    [
      'a bucket in another jurisdiction',
      { default: ['a'], eu: ['b', 'old-media'] },
      'eu/old-media',
      record('CNAME', 'public.r2.dev'),
      'media-host-attached',
      ['old-media (jurisdiction eu)', '--bucket old-media --jurisdiction eu.'],
    ],
    [
      'a bucket of the same name elsewhere',
      { us: ['example-media'] },
      'us/example-media',
      record('CNAME', 'public.r2.dev'),
      'media-host-attached',
      ['--bucket example-media --jurisdiction us.'],
    ],
    [
      'none of the buckets',
      { default: ['a'], eu: ['b'] },
      undefined,
      record('CNAME', 'public.r2.dev'),
      'media-host-orphaned',
      ['no bucket of this account', 'example.com/dns/records', 'support'],
    ],
    [
      'a record made by hand to an r2.dev address',
      {},
      undefined,
      record('CNAME', 'pub-0123.R2.dev.'),
      'media-host-orphaned',
      ['pub-0123.R2.dev.', 'dns/records'],
    ],
    [
      "a record made by hand to R2's S3 address",
      { default: ['a'] },
      undefined,
      record('CNAME', `${ACCOUNT}.r2.cloudflarestorage.com`),
      'media-host-orphaned',
      ['made by hand'],
    ],
  ])('a record of R2: %s', async (_, others, attachedTo, there, code, words) => {
    const world = worldOf()
    Object.assign(world.cloudflare, { dns: [there], others, attachedTo })
    const finding = await mediaDomain.look(world)
    expect(found(finding)).toBe(`blocked ${code}`)
    const { what, why, next } = finding.is === 'blocked' ? finding.problem : ({} as never)
    for (const word of words) expect(`${what} ${why} ${next}`).toContain(word)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('a jurisdiction that may not be asked is no jurisdiction without the bucket', async () => {
    const world = worldOf()
    world.cloudflare.dns = [record('CNAME', 'public.r2.dev')]
    world.cloudflare.others = { eu: refusal('cloudflare-403'), fedramp: refusal('cloudflare-404') }
    const finding = await mediaDomain.look(world)
    expect(found(finding)).toBe('blocked media-host-orphaned')
    const { what, why } = finding.is === 'blocked' ? finding.problem : ({} as never)
    expect(what).toContain('none of the buckets that could be asked')
    expect(why).toContain('the jurisdiction eu, the jurisdiction fedramp')
  })

  it.each(['partial', 'full'])('no record, in a %s zone: the buckets tell', async (type) => {
    const world = worldOf({ zone: { ...zone, type } })
    Object.assign(world.cloudflare, { others: { eu: ['old'] }, attachedTo: 'eu/old' })
    expect(found(await mediaDomain.look(world))).toBe('blocked media-host-attached')
  })

  it("media of the bucket in use is not taken away: another name, or that bucket's domain after the copy", async () => {
    const world = worldOf()
    const settings = new Map([
      ['S3_ENABLED', { value: 'true', from: '' }],
      ['S3_ALIAS_HOST', { value: HOST, from: '' }],
    ])
    const { setup } = world
    Object.assign(world.cloudflare, {
      dns: [record('CNAME', 'public.r2.dev')],
      others: { eu: ['old-media'] },
      attachedTo: 'eu/old-media',
    })
    const installation = { ...setup.installation, settings }
    const finding = await mediaDomain.look({ ...world, setup: { ...setup, installation } })
    expect(found(finding)).toBe('blocked media-host-in-use')
    const { what, next } = finding.is === 'blocked' ? finding.problem : ({} as never)
    expect(what).toContain('the bucket old-media (jurisdiction eu)')
    expect(next).toContain('when the copy is complete, open old-media (jurisdiction eu)')
    expect(next).not.toContain('delete the record')
  })

  it.each([
    ['S3_ALIAS_HOST', 'files.example.com', 'media-host-in-use'],
    ['S3_ALIAS_HOST', 'Files.example.com/file/media', 'media-host-in-use'],
    ['S3_CLOUDFRONT_HOST', 'files.example.com', 'media-host-in-use'],
    ['S3_ALIAS_HOST', 'other.example.com', 'media-host-taken'],
  ])('the name is where media is now, by %s=%s: %s', async (name, value, code) => {
    const world = worldOf()
    const settings = new Map([
      ['S3_ENABLED', { value: 'true', from: '' }],
      [name, { value, from: '' }],
    ])
    const { setup } = world
    const installation = { ...setup.installation, settings }
    world.cloudflare.dns = [record('CNAME', 'media.b-cdn.net')]
    const finding = await mediaDomain.look({ ...world, setup: { ...setup, installation } })
    expect(found(finding)).toBe(`blocked ${code}`)
    const { next = '' } = finding.is === 'blocked' ? finding.problem : {}
    const isUsed = code === 'media-host-in-use'
    expect(String(next).includes('Two ways')).toBe(isUsed)
    expect(String(next).includes('delete the record in the dashboard')).toBe(!isUsed)
  })

  it('our own record is no obstacle once the domain is attached', async () => {
    const world = worldOf()
    world.cloudflare.dns = [record('CNAME', 'public.r2.dev')]
    world.cloudflare.domains = [domain('active', 'active')]
    expect((await mediaDomain.look(world)).is).toBe('ready')
  })

  it.each<[boolean | undefined, boolean]>([
    [true, true],
    [false, false],
    [undefined, false],
  ])('says that what is in the bucket becomes readable: %s', async (filled, said) => {
    const world = worldOf()
    world.cloudflare.filled = filled
    expect(found(await mediaDomain.look(world)).includes('not empty')).toBe(said)
  })

  it.each<[string, CustomDomain | undefined]>([
    ['not attached', undefined],
    ['pending', domain('pending', 'pending')],
    ['active', domain('active', 'active')],
  ])('a partial zone is warned of: %s', async (_, there) => {
    const world = worldOf({ zone: { ...zone, type: 'partial' } })
    world.cloudflare.domains = [there]
    expect(warningsOf(await mediaDomain.look(world))).toEqual([
      expect.stringContaining('partial (CNAME) zone'),
    ])
    const full = worldOf()
    full.cloudflare.domains = [there]
    expect(warningsOf(await mediaDomain.look(full))).toEqual([])
  })
})

describe('changing the custom domain', () => {
  it.each<[string, CustomDomain | undefined, string[]]>([
    ['attaches', undefined, [`attach ${HOST} zone-1`]],
    ['switches on', domain('active', 'active', false), [`enable ${HOST}`]],
    ['only waits', domain('pending', 'pending'), []],
  ])('%s', async (_, there, writes) => {
    const world = worldOf()
    world.cloudflare.domains = [there]
    await mediaDomain.change?.(world)
    expect(world.cloudflare.writes).toEqual(writes)
  })
})

describe('waiting for the custom domain', () => {
  const waitFor = async (states: (CustomDomain | undefined)[], waitDomainMs = 900_000) => {
    const world = worldOf({ waitDomainMs, at: { ...setupOf().at, accountId: ACCOUNT } })
    world.cloudflare.domains = states
    const told: string[] = []
    const finding = await mediaDomain.confirm?.(world, (state) => told.push(state))
    return { finding, told, slept: world.clock.slept }
  }

  it.each([
    [80, [0, 100, 200, 300]],
    [250, [0, 250, 500, 750]],
  ])(
    'an answer that takes %i ms puts the next question off only where it is later',
    async (ms, times) => {
      const world = worldOf()
      const asked: number[] = []
      world.cloudflare.findCustomDomain = async () => {
        asked.push(world.clock.slept)
        world.clock.slept += ms
        return asked.length < times.length
          ? domain('pending', 'pending')
          : domain('active', 'active')
      }
      await mediaDomain.confirm?.(world, () => undefined)
      expect(asked).toEqual(times)
    },
  )

  it('tells every state until it is active, how long that takes, and how long it waits', async () => {
    const { finding, told } = await waitFor([
      undefined,
      domain('pending', 'initializing'),
      domain('unknown', 'unknown'),
      domain('active', 'pending'),
      domain('active', 'active', false),
      domain('active', 'active'),
    ])
    const states = [
      'Cloudflare does not tell the state yet',
      'ownership pending, certificate initializing',
      'Cloudflare does not tell the state yet',
      'ownership active, certificate pending',
      'ownership active, certificate active',
    ]
    expect(told).toEqual(states.map((state) => `${state} (some minutes mostly, at most 15 min)`))
    expect(finding).toMatchObject({ is: 'ready', facts: { domainActive: { attached: true } } })
  })

  it.each<[string, CustomDomain | undefined]>([
    ['pending', domain('pending', 'pending')],
    ['unknown', domain('unknown', 'unknown')],
    ['gone', undefined],
  ])('gives up at the deadline, not before: %s', async (_, there) => {
    const { finding, slept } = await waitFor([there], 120_000)
    expect(found(finding)).toBe('blocked media-domain-slow')
    expect(finding?.is === 'blocked' && finding.problem.what).toContain('after 120 s')
    expect(slept).toBeGreaterThanOrEqual(120_000)
  })

  it.each<[string, CustomDomain]>([
    ['an error of the certificate', domain('active', 'error')],
    ['an error of the ownership', domain('error', 'pending')],
    ['deactivated', domain('deactivated', 'deactivated')],
  ])('%s is final: said within seconds, with what to do', async (_, there) => {
    const { finding, slept } = await waitFor([domain('pending', 'pending'), there])
    expect(found(finding)).toBe('blocked media-domain-failed')
    expect(slept).toBeLessThan(10_000)
    const problem = finding?.is === 'blocked' ? finding.problem : undefined
    expect(problem?.why).toContain('No CAA record of the zone stands in the way')
    expect(problem?.next).toContain(`"Retry connection" for ${HOST}`)
  })

  it('an error that passes within seconds is one of before', async () => {
    const states = [domain('deactivated', 'error'), domain('pending', 'pending')]
    const { finding } = await waitFor([...states, domain('active', 'active')])
    expect(finding?.is).toBe('ready')
  })

  it.each<[string, DnsRecord[], string]>([
    [
      'another authority alone, at the top of the zone',
      [caa('example.com', '0 issue "digicert.com"')],
      'The CAA records at example.com let other authorities alone make certificates: digicert.com.',
    ],
    [
      'nobody',
      [caa(HOST, '0 issue ";"')],
      `at ${HOST} let other authorities alone make certificates: nobody`,
    ],
    [
      'the nearest name counts',
      [caa('example.com', '0 issue "letsencrypt.org"'), caa(HOST, '0 issue "digicert.com"')],
      `at ${HOST}`,
    ],
    [
      'one of Cloudflare’s',
      [caa('example.com', '0 issue "pki.goog; cansignhttpexchanges=yes"')],
      'let Cloudflare in',
    ],
    [
      'only where to complain',
      [caa('example.com', '0 iodef "mailto:a@example.com"')],
      'let Cloudflare in',
    ],
  ])('looks at the CAA records: %s', async (_, dns, why) => {
    const world = worldOf()
    world.cloudflare.domains = [domain('active', 'error')]
    world.cloudflare.dns = dns
    const finding = await mediaDomain.confirm?.(world, () => undefined)
    const problem = finding?.is === 'blocked' ? finding.problem : undefined
    expect(problem?.why).toContain(why)
    expect(String(problem?.next).includes('0 issue "letsencrypt.org"')).toBe(
      /alone|at files/.test(why),
    )
  })

  it('does not wait for what is blocked', async () => {
    const { finding, slept } = await waitFor([domain('blocked', 'pending')])
    expect([found(finding), slept]).toEqual(['blocked media-host-blocked', 0])
  })
})
