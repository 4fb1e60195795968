import { describe, expect, it, test } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import type { Facts } from '../../src/plan/step.ts'
import { uploadProbe } from '../../src/setup/proof.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { ENV, installationOf, knownKey, mintedKey, worldOf } from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'

const facts = { accessKey: mintedKey, domainActive: { attached: true } }
const probing = (world: ReturnType<typeof worldOf>) =>
  uploadProbe.change?.(world) ?? Promise.reject(new Error('no change'))

describe('looking', () => {
  it.each<[string, Parameters<typeof worldOf>[1], string]>([
    ['no key yet', {}, 'waiting accessKey'],
    [
      'a new key',
      facts,
      'change upload, read and delete test files as Mastodon does; a new key works within a minute mostly, at most 90 s (with S3_FORCE_SINGLE_REQUEST=true where reads by part number are refused)',
    ],
    [
      'a kept key, which its look has tried',
      { accessKey: { ...knownKey, minted: false } },
      'ready the key opens the bucket',
    ],
    [
      'proven',
      { ...facts, keyProven: true },
      'ready upload, multipart, read, list and delete all work',
    ],
  ])('%s', async (_, known, expected) => {
    const world = worldOf({}, known)
    const finding = await uploadProbe.look(world)
    expect(found(finding)).toBe(expected)
    expect(finding).toEqual(
      expected.startsWith('ready')
        ? expect.objectContaining({ facts: { keyProven: true } })
        : finding,
    )
    const isOfUse = known?.accessKey?.minted === false
    expect(world.s3.calls.map((call) => call.split(' ')[0])).toEqual(isOfUse ? ['head-part'] : [])
  })
})

test('nothing stays in the bucket, whoever tries a key and whatever else is waited for', async () => {
  const world = worldOf({}, { accessKey: mintedKey })
  expect(await probing(world)).toEqual({ keyProven: true })
  expect(world.s3.objects.size).toBe(0)
})

describe('reads by part number are refused', () => {
  const refusing = (world: ReturnType<typeof worldOf>) => {
    world.s3.refuse = (verb) => (/-part$/.test(verb) ? refusal('s3-501') : undefined)
    return world
  }
  const line = { value: 'true', from: ENV }
  const settings = new Map([['S3_FORCE_SINGLE_REQUEST', line]])
  const forced = { installation: installationOf({ settings }) }
  const learned = { keyProven: true, singleRequests: true }

  it('with a new key: all is tried again in one request each, and that is what is learned', async () => {
    const world = refusing(worldOf({}, facts))
    expect(await probing(world)).toEqual(learned)
    expect(world.s3.objects.size).toBe(0)
    const finding = await uploadProbe.look({ ...world, facts: { ...facts, ...learned } as Facts })
    expect(found(finding)).toContain('(S3_FORCE_SINGLE_REQUEST=true)')
    expect(JSON.stringify(finding)).toMatch(/501.*videos would stay .*"failed.*empty files/)
  })

  it.each(['head-part', 'get-part'])('%s alone is enough', async (refused) => {
    const world = worldOf({}, facts)
    world.s3.refuse = (verb) => (verb === refused ? refusal('s3-501') : undefined)
    expect(await probing(world)).toEqual(learned)
  })

  it('with a key in use: one HEAD tells', async () => {
    const world = refusing(worldOf({}, { accessKey: { ...knownKey, minted: false } }))
    const finding = await uploadProbe.look(world)
    expect(finding).toMatchObject({
      is: 'ready',
      facts: learned,
      warnings: [expect.stringContaining('501')],
    })
    expect(world.s3.calls).toHaveLength(1)
  })

  it('with S3_FORCE_SINGLE_REQUEST=true nothing is asked, and nothing to warn of', async () => {
    const known = worldOf(forced, { accessKey: { ...knownKey, minted: false } })
    expect(await uploadProbe.look(refusing(known))).toEqual({
      is: 'ready',
      note: 'the key opens the bucket',
      facts: learned,
    })
    expect(known.s3.calls).toEqual([])
    const fresh = refusing(worldOf(forced, facts))
    expect(await probing(fresh)).toEqual(learned)
    expect(fresh.s3.calls.filter((call) => /-part /.test(call))).toEqual([])
  })

  it('another refusal is told as it is', async () => {
    const world = worldOf({}, facts)
    world.s3.refuse = (verb) => (verb === 'head-part' ? refusal('s3-500') : undefined)
    expect((await problemOf(probing(world))).code).toBe('s3-500')
  })

  it.each([true, false])(
    'the count of the parts told or not (%s): the same bytes',
    async (tells) => {
      const world = worldOf({}, facts)
      world.s3.tellsParts = tells
      expect(await probing(world)).toEqual({ keyProven: true })
      const reads = world.s3.calls.filter((call) => /^get .*parts\.bin$/.test(call))
      // Besides the range of a player: where the count is not told, all of it at once.
      expect(reads).toHaveLength(tells ? 1 : 2)
    },
  )
})

describe('probing', () => {
  it('does all that Mastodon does, with its headers, and leaves nothing', async () => {
    const world = worldOf({}, facts)
    const put = new Map<string, unknown>()
    const keep = world.s3.objects.set.bind(world.s3.objects)
    world.s3.objects.set = (key, object) => {
      put.set(key.replace(/^.*-/, ''), { ...object, body: object.body.length })
      return keep(key, object)
    }
    expect(await probing(world)).toEqual({ keyProven: true })
    const cacheControl = 'public, max-age=315576000, immutable'
    const text = { contentType: 'text/plain', cacheControl, body: expect.any(Number) }
    expect(Object.fromEntries(put)).toEqual({
      'plain.txt': text,
      'checksum.txt': { ...text, checksum: 'CRC32' },
      'parts.bin': {
        contentType: 'video/mp4',
        cacheControl,
        checksum: 'CRC32',
        inParts: true,
        body: 5 * 1_048_576 + 1024,
      },
    })
    const verbs = new Set(world.s3.calls.map((call) => call.split(' ')[0]))
    expect([...verbs].sort()).toEqual(
      [
        ...['delete', 'delete-many', 'get', 'get-part', 'head', 'head-object', 'head-part'],
        ...['list', 'put', 'put-parts'],
      ].sort(),
    )
    expect(world.s3.objects.size).toBe(0)
    expect(world.s3.keys).toEqual([mintedKey])
  })

  it.each(['s3-401', 's3-403'])('%s for a while is a key that spreads', async (code) => {
    const world = worldOf({}, facts)
    let refusals = 20
    world.s3.refuse = () => (refusals-- > 0 ? refusal(code) : undefined)
    expect(await probing(world)).toEqual({ keyProven: true })
    expect(world.clock.slept).toBeGreaterThan(0)
  })

  it('a refusal in the middle starts again from the beginning, with nothing left behind', async () => {
    const world = worldOf({}, facts)
    let refusals = 1
    world.s3.refuse = (verb) => (verb === 'get' && refusals-- > 0 ? refusal('s3-401') : undefined)
    expect(await probing(world)).toEqual({ keyProven: true })
    expect(world.s3.objects.size).toBe(0)
  })

  it('gives up at the deadline, with what was said last', async () => {
    const world = worldOf({ waitKeyMs: 30_000 }, facts)
    world.s3.refuse = () => refusal('s3-401')
    expect((await problemOf(probing(world))).code).toBe('s3-401')
    expect(Math.floor(world.clock.slept / 1_000)).toBe(30)
  })

  it.each(['s3-404', 's3-500', 's3-unreachable'])('%s is not waited for', async (code) => {
    const world = worldOf({}, facts)
    world.s3.refuse = () => refusal(code)
    expect((await problemOf(probing(world))).code).toBe(code)
    expect(world.clock.slept).toBe(0)
  })

  it.each<[string, (world: ReturnType<typeof worldOf>) => void, RegExp]>([
    [
      'other bytes',
      ({ s3 }) => {
        s3.alter = (object, range) => (range ? object : { ...object, body: object.body.slice(1) })
      },
      /other bytes/,
    ],
    [
      'another type',
      ({ s3 }) => {
        s3.alter = (object) => ({ ...object, contentType: 'application/octet-stream' })
      },
      /application\/octet-stream/,
    ],
    [
      'another Cache-Control',
      ({ s3 }) => {
        s3.alter = (object) => ({ ...object, cacheControl: undefined })
      },
      /undefined; sent were/,
    ],
    [
      'the range ignored',
      ({ s3 }) => {
        s3.alter = (object, range) => (range ? { ...object, status: 200 } : object)
      },
      /status 200/,
    ],
    [
      'another range',
      ({ s3 }) => {
        s3.alter = (object, range) => (range ? { ...object, body: object.body.slice(2) } : object)
      },
      /other bytes/,
    ],
    [
      'a second part that is not the one sent',
      ({ s3 }) => {
        s3.alter = (object, range) =>
          range?.startsWith('bytes=52') ? { ...object, body: object.body.toReversed() } : object
      },
      /Reading bytes 5242872 to 5243903/,
    ],
    [
      'a list without the upload',
      ({ s3 }) => {
        s3.listed = (keys) => keys.filter((key) => !key.endsWith('parts.bin'))
      },
      /parts\.bin/,
    ],
    [
      'deleted and still there',
      ({ s3 }) => {
        s3.forgetsToDelete = true
      },
      /still listed/,
    ],
  ])('damaged: %s', async (_, arrange, what) => {
    const world = worldOf({}, facts)
    arrange(world)
    const problem = await problemOf(probing(world))
    expect(problem.code).toBe('storage-not-proven')
    expect(problem.what).toMatch(what)
  })

  it.each(['put', 'put-parts', 'get', 'list'])('cleans up when %s fails', async (failing) => {
    const world = worldOf({}, facts)
    world.s3.refuse = (verb) => (verb === failing ? refusal('s3-500') : undefined)
    expect((await problemOf(probing(world))).code).toBe('s3-500')
    expect(world.s3.objects.size).toBe(0)
  })

  it.each(['delete', 'delete-many'])('a refused %s says so itself', async (failing) => {
    const world = worldOf({}, facts)
    world.s3.refuse = (verb) => (verb === failing ? refusal('s3-500') : undefined)
    expect((await problemOf(probing(world))).code).toBe('s3-500')
  })

  it('a failing clean-up does not hide what failed first', async () => {
    const world = worldOf({}, facts)
    world.s3.refuse = (verb) => {
      if (verb === 'get') return refusal('s3-500')
      return verb === 'delete' ? refusal('s3-501') : undefined
    }
    expect((await problemOf(probing(world))).code).toBe('s3-500')
  })

  it('Ctrl-C while waiting ends it', async () => {
    const world = worldOf({}, facts)
    world.s3.refuse = () => refusal('s3-401')
    const clock = { ...world.clock, sleep: () => Promise.reject(new Cancelled()) }
    const probe = uploadProbe.change?.({ ...world, clock })
    await expect(probe).rejects.toBeInstanceOf(Cancelled)
  })
})
