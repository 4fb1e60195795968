import { describe, expect, it } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import { renderText } from '../../src/core/to-type.ts'
import type { Facts, Setup } from '../../src/plan/step.ts'
import { uploadProbe } from '../../src/setup/proof.ts'
import { publicRead, withTestFile } from '../../src/setup/public-read.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import type { Answer } from '../fakes/fake-web.ts'
import { HOST, installationOf, knownKey, mintedKey, worldOf } from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'

type Fakes = ReturnType<typeof worldOf>

const acao = 'access-control-allow-origin'
const fresh: Partial<Facts> = {
  accessKey: mintedKey,
  domainActive: { attached: true },
  keyProven: true,
}
const old: Partial<Facts> = {
  accessKey: { ...knownKey, minted: false },
  domainActive: { attached: false },
  keyProven: true,
}
const read = `read a test file at https://${HOST}`
const reading = (world: Fakes) =>
  publicRead.change?.(world) ?? Promise.reject(new Error('no change'))
const listing = (answer: Answer): Answer => ({
  ...answer,
  status: 200,
  body: new TextEncoder().encode('<?xml version="1.0"?><ListBucketResult>'),
})
const isTop = (url: string) => new URL(url).pathname === '/'

describe('looking', () => {
  it.each<[string, Partial<Facts>, string]>([
    ['no domain yet', { accessKey: mintedKey, keyProven: true }, 'waiting domainActive'],
    ['no key yet', { domainActive: { attached: true } }, 'waiting keyProven'],
    ['a new domain', { ...old, domainActive: { attached: true } }, `change ${read}`],
    ['a new key', { ...old, accessKey: mintedKey }, `change ${read}`],
    ['nothing new', old, `ready https://${HOST} answers`],
    [
      'proven in this run',
      { ...fresh, publicProven: {} },
      'ready status, bytes, type, range and CORS are right',
    ],
  ])('%s', async (_, facts, expected) => {
    const world = worldOf({}, facts)
    expect(found(await publicRead.look(world))).toBe(expected)
    expect(world.s3.calls).toEqual([])
    expect(world.web.requests).toEqual(facts === old ? [`https://${HOST}/`] : [])
  })

  it.each<[string, (world: Fakes) => void, string]>([
    [
      'it does not answer',
      ({ web }) => {
        web.fetch = () => Promise.reject(refusal('web-dns'))
      },
      `change ${read}; just now: web-dns.`,
    ],
    [
      'it answers with a fault',
      ({ web }) => {
        web.alter = (answer) => ({ ...answer, status: 522 })
      },
      `change ${read}; just now: it answers with status 522`,
    ],
  ])('nothing new, but %s', async (_, arrange, expected) => {
    const world = worldOf({}, old)
    arrange(world)
    expect(found(await publicRead.look(world))).toBe(expected)
  })

  it('a host that lists its files is a Problem', async () => {
    const world = worldOf({}, old)
    world.web.alter = listing
    expect((await problemOf(publicRead.look(world))).code).toBe('media-host-lists')
  })
})

describe('the test file while the domain is waited for', () => {
  const probe = withTestFile(uploadProbe)
  const waiting = { accessKey: mintedKey }
  const putInto = async (known: Partial<Facts>) => {
    const world = worldOf({}, known)
    const learned = (await probe.change?.(world)) ?? {}
    return { world, learned, keys: [...world.s3.objects.keys()] }
  }

  it('is read behind the wait, and put only once', async () => {
    const { world: before, learned, keys } = await putInto(waiting)
    expect(keys).toEqual([learned.testFile])
    const world = worldOf({}, { ...fresh, testFile: String(learned.testFile) })
    for (const [key, object] of before.s3.objects) world.s3.objects.set(key, object)
    expect(await reading(world)).toEqual({ publicProven: { testFile: learned.testFile } })
    expect(world.s3.calls).toEqual([])
  })

  it('is not put where the domain is active already', async () => {
    const { learned, keys } = await putInto({ ...waiting, domainActive: { attached: true } })
    expect([learned, keys]).toEqual([{ keyProven: true }, []])
  })

  it.each<[string, Partial<Facts>, number]>([
    ['goes where the run ends before it was read', {}, 0],
    ['stays for the step that has read it, and removes it', { publicProven: {} }, 1],
  ])('%s', async (_, read, left) => {
    const { world, learned } = await putInto(waiting)
    const facts = { ...waiting, testFile: String(learned.testFile), ...read }
    expect(await probe.undo?.({ ...world, facts })).toBeUndefined()
    expect(world.s3.objects.size).toBe(left)
  })
})

describe('reading', () => {
  it('uploads first, reads without and with Origin, by range, and the top; removes it', async () => {
    const world = worldOf({}, fresh)
    const facts = await reading(world)
    const key = /^put (\S+)$/.exec(world.s3.calls[0] ?? '')?.[1] ?? ''
    expect(key).toMatch(/^mastodon-r2-probe\/[0-9a-f]{32}\.txt$/)
    const url = `https://${HOST}/${key}`
    expect(world.web.requests[0]).toBe(url)
    expect(world.web.requests.slice(1).sort()).toEqual(
      [`${url} https://example.com`, `${url} bytes=4-19`, `https://${HOST}/`].sort(),
    )
    expect(facts).toEqual({ publicProven: { testFile: key } })
    expect(world.s3.calls).toEqual([`put ${key}`])
    await publicRead.confirm?.({ ...world, facts: { ...fresh, ...facts } }, () => undefined)
    expect(world.s3.calls).toEqual([`put ${key}`, `delete ${key}`, 'page mastodon-r2-probe/'])
    expect(world.s3.objects.size).toBe(0)
  })

  it('what a killed run has left goes with it', async () => {
    const world = worldOf({}, fresh)
    const left = `mastodon-r2-probe/${'0a'.repeat(16)}.txt`
    await world.s3.put(left, new Uint8Array(4), { contentType: '', cacheControl: '' })
    const facts = await reading(world)
    await publicRead.confirm?.({ ...world, facts: { ...fresh, ...facts } }, () => undefined)
    expect(world.s3.objects.size).toBe(0)
  })

  it('a 404 that the edge remembers is got round with another URL', async () => {
    const world = worldOf({}, fresh)
    world.web.blindFor = 3
    expect(await reading(world)).toHaveProperty('publicProven')
    const whole = world.web.requests.filter((line) => !line.includes(' ') && !isTop(line))
    expect(new Set(whole).size).toBe(whole.length)
    expect(whole).toHaveLength(4)
    expect(world.s3.calls.filter((call) => call.startsWith('put '))).toHaveLength(1)
  })

  it.each<[string, Partial<Setup>, string]>([
    [
      'WEB_DOMAIN',
      { installation: installationOf({ webDomain: 'web.example.com' }) },
      'https://web.example.com',
    ],
    ['LOCAL_DOMAIN', {}, 'https://example.com'],
    ['the origin allowed', { corsOrigins: ['https://a.example'] }, 'https://a.example'],
    [
      'something',
      { installation: installationOf({ localDomain: undefined }) },
      'https://social.example.com',
    ],
  ])('asks as a page of %s', async (_, setup, origin) => {
    const world = worldOf(setup, fresh)
    await reading(world)
    expect(world.web.requests.filter((line) => line.endsWith(` ${origin}`))).toHaveLength(1)
  })

  it('the origin itself is as good as everyone', async () => {
    const world = worldOf({ corsOrigins: ['https://a.example'] }, fresh)
    world.web.alter = (answer, { headers }) =>
      headers?.origin === undefined
        ? answer
        : {
            ...answer,
            headers: [
              ['content-type', 'text/plain'],
              [acao, headers.origin],
            ],
          }
    expect(await reading(world)).toHaveProperty('publicProven')
  })

  it('a redirect is named, with what takes away the one of leave', async () => {
    const world = worldOf({}, fresh)
    const location = ['location', 'https://social.example.com/system/x'] as const
    world.web.alter = () => ({ status: 302, headers: [location], body: new Uint8Array() })
    const problem = await reading(world).catch((error: unknown) => error)
    expect(problem).toMatchObject({
      code: 'public-status',
      what: expect.stringContaining(`status 302 and leads to ${location[1]}`),
    })
    expect(renderText((problem as Problem).next)).toContain('leave --stage redirects --undo')
  })

  const broken: [string, (answer: Answer, origin: string | undefined, range: boolean) => Answer][] =
    [
      ['public-status', (answer) => ({ ...answer, status: 503 })],
      ['public-bytes', (answer) => ({ ...answer, body: answer.body.slice(1) })],
      ['public-type', (answer) => ({ ...answer, headers: [] })],
      ['public-type', (answer) => ({ ...answer, headers: [['content-type', 'text/html']] })],
      ['public-range', (answer, _, range) => (range ? { ...answer, status: 200 } : answer)],
      [
        'public-range',
        (answer, _, range) => (range ? { ...answer, body: answer.body.slice(1) } : answer),
      ],
      [
        'public-cors-twice',
        (answer) => ({ ...answer, headers: [...answer.headers, [acao, '*'], [acao, '*']] }),
      ],
      [
        'public-cors-twice',
        (answer, origin) =>
          origin === undefined ? answer : { ...answer, headers: [...answer.headers, [acao, '*']] },
      ],
      [
        'public-cors',
        (answer) => ({ ...answer, headers: answer.headers.filter(([it]) => it !== acao) }),
      ],
      [
        'public-cors',
        (answer, origin) =>
          origin === undefined
            ? answer
            : {
                ...answer,
                headers: [
                  ['content-type', 'text/plain'],
                  [acao, 'https://b.example'],
                ],
              },
      ],
    ]

  it.each(broken)('%s: waited for, then told, and cleaned up', async (code, alter) => {
    const world = worldOf({}, fresh)
    world.web.alter = (answer, { headers }, url) =>
      isTop(url) ? answer : alter(answer, headers?.origin, headers?.range !== undefined)
    const problem = await problemOf(reading(world))
    expect(problem.code).toBe(code)
    expect(problem.next).not.toBe('')
    expect(world.clock.slept).toBeGreaterThanOrEqual(60_000)
    expect(world.s3.objects.size).toBe(0)
  })

  it('a rule that adds the header a second time is named as the cause', async () => {
    const world = worldOf({}, fresh)
    world.web.alter = (answer) => ({
      ...answer,
      headers: [...answer.headers, [acao, '*'], [acao, '*']],
    })
    expect((await problemOf(reading(world))).next).toContain('Transform Rule')
  })

  it('a certificate that is not everywhere yet is waited for', async () => {
    const world = worldOf({}, fresh)
    const fetch = world.web.fetch.bind(world.web)
    let refusals = 5
    world.web.fetch = (url, request) =>
      refusals-- > 0 ? Promise.reject(refusal('web-tls')) : fetch(url, request)
    expect(await reading(world)).toHaveProperty('publicProven')
  })

  it('a host that lists its files is told at once', async () => {
    const world = worldOf({}, fresh)
    world.web.alter = (answer, _, url) => (isTop(url) ? listing(answer) : answer)
    expect((await problemOf(reading(world))).code).toBe('media-host-lists')
    expect([world.clock.slept, world.s3.objects.size]).toEqual([0, 0])
  })

  it('a failing clean-up does not hide what went well', async () => {
    const world = worldOf({}, fresh)
    world.s3.refuse = (verb) => (verb === 'delete' ? refusal('s3-500') : undefined)
    const facts = { ...fresh, ...(await reading(world)) }
    expect(found(await publicRead.confirm?.({ ...world, facts }, () => undefined))).toContain(
      'ready',
    )
  })

  it('an upload that fails is told, and nothing is asked for', async () => {
    const world = worldOf({}, fresh)
    world.s3.refuse = (verb) => (verb === 'put' ? refusal('s3-403') : undefined)
    expect((await problemOf(reading(world))).code).toBe('s3-403')
    expect(world.web.requests).toEqual([])
  })
})
