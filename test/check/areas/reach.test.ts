import { describe, expect, it } from 'vitest'
import { publicWebChecks } from '../../../src/check/areas/public-web.ts'
import { openDoor } from '../../../src/check/areas/storage-door.ts'
import { sharedLook } from '../../../src/core/once.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { bucketWorld } from './bucket-world.ts'
import { examine, isImage } from './stranger.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

describe('the certificate', () => {
  const until = (day: string, fault?: string) => ({
    validTo: new Date(day),
    issuer: 'Good Certificates',
    fault,
  })
  it.each<[string, ReturnType<typeof until>, string[], string]>([
    ['15 days', until('2026-12-07T12:00Z'), [], '15 days left'],
    ['13 days', until('2026-12-05T12:00Z'), ['public-certificate warning'], 'in 13 days'],
    ['1 day', until('2026-11-23T12:00Z'), ['public-certificate warning'], 'in 1 day.'],
    [
      'expired',
      until('2026-11-01T12:00Z', 'CERT_HAS_EXPIRED'),
      ['public-certificate fault'],
      'expired on 2026-11-01',
    ],
    [
      'a chain with a hole',
      until('2027-11-01', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      ['public-certificate fault'],
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE; issued by Good Certificates',
    ],
  ])('%s', async (_, shown, expected, words) => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.shown = shown
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'public-certificate')).toContain(words)
  })
})

describe('one cause is told once', () => {
  it('no media host', async () => {
    const { found, web } = await examine({ storage: { mediaHost: undefined } })
    expect(troubles(found)).toEqual(['public-name fault'])
    expect(web.requests).toEqual([])
  })

  it('a certificate that nobody trusts', async () => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.shown = { ...web.shown, fault: 'CERT_HAS_EXPIRED' }
    })
    // What is asked beside it is refused for the same reason, and no fault of its own.
    expect(troubles(found)).toEqual(['public-certificate fault'])
  })

  it.each(['web-refused', 'web-timeout', 'web-tls'])('%s', async (code) => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.certificate = () => Promise.reject(refusal(code))
    })
    expect(troubles(found)).toEqual(['public-certificate fault'])
  })

  it('every request is refused', async () => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.fetch = () => Promise.reject(refusal('web-refused'))
    })
    expect(troubles(found)).toEqual(['public-listing fault'])
  })

  it('a bucket that does not open leaves the visit unmade', async () => {
    const { found } = await examine({}, undefined, ({ s3 }) => {
      s3.refuse = (verb) => (verb === 'head' ? refusal('s3-401') : undefined)
    })
    expect(troubles(found)).toEqual([])
    expect(wordsOf(found, 'public-content')).toContain('the bucket does not open')
  })

  it('a connection that breaks later is the fault of the public read', async () => {
    const { found, s3 } = await examine({}, undefined, ({ web }) => {
      const fetch = web.fetch.bind(web)
      web.fetch = async (url, request) => {
        if (isImage(url)) throw refusal('web-timeout')
        return fetch(url, request)
      }
    })
    expect(troubles(found)).toEqual(['public-content fault'])
    expect([...s3.objects.keys()]).toEqual([])
  })

  it('a bucket that takes nothing leaves the visit unmade', async () => {
    const { found } = await examine({}, undefined, ({ s3 }) => {
      s3.refuse = (verb) => (verb === 'put' ? refusal('s3-403') : undefined)
    })
    expect(troubles(found)).toEqual([])
    expect(wordsOf(found, 'public-content')).toContain('see storage')
  })
})

it('a name that leads nowhere is a problem of its own check', async () => {
  const { world, web } = bucketWorld()
  web.nowhere = refusal('web-dns')
  const [name, ...others] = publicWebChecks(sharedLook(openDoor))
  await expect(verdictsOf(name ? [name] : [], world)).rejects.toThrow('web-dns')
  expect(troubles(await verdictsOf(others, world))).toEqual([])
})
