import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketFor, bucketName, hostName, tidyBucket, tidyHost } from '../../src/settings/names.ts'
import * as z from '../../src/settings/zod.ts'

const SAFE = /^[A-Za-z0-9._:/,@%+=-]*$/
const typed = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.domain(),
  fc.webUrl(),
  fc.emailAddress(),
  fc.ipV4(),
  fc.ipV6(),
  fc
    .array(
      fc.constantFrom('files', '.', '-', '_', ':', '/', ' ', '443', 'A', 'ü', '例', '%', '*'),
      {
        maxLength: 10,
      },
    )
    .map((parts) => parts.join('')),
)
const message = (result: { error?: { issues: readonly { message: string }[] } | undefined }) =>
  result.error?.issues[0]?.message

describe('media hosts', () => {
  test('what is taken is a host that DNS, URLs and env files agree on', () => {
    let taken = 0
    fc.assert(
      fc.property(typed, (text) => {
        const host = tidyHost(text).text
        const result = hostName(z).safeParse(host)
        if (!result.success) {
          expect(message(result)).toMatch(/\S/)
          return
        }
        taken += 1
        expect(result.data).toMatch(SAFE)
        expect(result.data.length).toBeLessThanOrEqual(253)
        expect(result.data.split('.').length).toBeGreaterThan(1)
        expect(new URL(`https://${result.data}/`).host).toBe(result.data)
        expect(tidyHost(result.data)).toEqual({ text: result.data, notes: [] })
      }),
      { numRuns: 5000, seed: 1 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  test('every plain domain is taken, whatever stands around it', () => {
    const around = fc.tuple(
      fc.constantFrom('', 'https://', 'HTTP://'),
      fc.constantFrom('', '/', ':443', '.', '/a?b#c'),
    )
    fc.assert(
      fc.property(fc.domain(), around, (domain, [before, after]) => {
        const { text } = tidyHost(`${before}${domain.toUpperCase()}${after}`)
        expect(text).toBe(domain.toLowerCase())
        expect(hostName(z).safeParse(text).success).toBe(true)
      }),
      { numRuns: 2000, seed: 2 },
    )
  })
})

describe('buckets', () => {
  test("what is taken keeps R2's rule; a suggestion is taken itself", () => {
    let suggested = 0
    fc.assert(
      fc.property(typed, (text) => {
        const result = bucketName(z).safeParse(tidyBucket(text).text)
        if (result.success) {
          expect(result.data).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/)
          return
        }
        const suggestion = /did you mean (\S+)\?$/.exec(message(result) ?? '')?.[1]
        if (suggestion === undefined) return
        suggested += 1
        expect(bucketName(z).safeParse(suggestion).success).toBe(true)
      }),
      { numRuns: 5000, seed: 3 },
    )
    expect(suggested).toBeGreaterThan(500)
  })

  test('the default for any instance is one', () => {
    fc.assert(
      fc.property(typed, (domain) => {
        expect(bucketName(z).safeParse(bucketFor(domain)).success).toBe(true)
      }),
      { numRuns: 5000, seed: 4 },
    )
  })
})
