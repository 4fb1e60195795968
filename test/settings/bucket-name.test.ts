import { describe, expect, it } from 'vitest'
import { bucketFor, bucketName, tidyBucket } from '../../src/settings/names.ts'
import * as z from '../../src/settings/zod.ts'

describe('bucket names', () => {
  it.each(['abc', 'social-example-com-media', 'a1b', 'a'.repeat(63), '123'])(
    '%s is taken',
    (name) => {
      expect(bucketName(z).safeParse(name).success).toBe(true)
    },
  )

  it.each([
    ['ab', 'is no bucket name: those are 3 to 63'],
    ['', 'is no bucket name: those are 3 to 63'],
    ['a'.repeat(64), 'is no bucket name: those are 3 to 63'],
    ['-abc', 'did you mean abc?'],
    ['abc-', 'did you mean abc?'],
    ['my_media', 'did you mean my-media?'],
    ['files.example.com', 'did you mean files-example-com?'],
    ['my media', 'did you mean my-media?'],
    ['médias', 'did you mean m-dias?'],
  ])('%s is refused: %s', (name, words) => {
    expect(bucketName(z).safeParse(name).error?.issues[0]?.message).toContain(words)
  })

  it('upper case is put right and said', () => {
    expect(tidyBucket('Media')).toEqual({ text: 'media', notes: ['changed to lower case'] })
  })

  it.each([
    ['social.example.com', 'social-example-com-media'],
    ['example.com', 'example-com-media'],
    [`${'a'.repeat(70)}.example.com`, `${'a'.repeat(57)}-media`],
    ['xn--bcher-kva.example', 'xn-bcher-kva-example-media'],
  ])('the default for %s is %s, and valid', (domain, name) => {
    expect(bucketFor(domain)).toBe(name)
    expect(bucketName(z).safeParse(name).success).toBe(true)
  })
})
