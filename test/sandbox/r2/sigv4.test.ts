import { describe, expect, test } from 'vitest'
import {
  amzDateOf,
  awsEncode,
  canonicalQuery,
  sha256Hex,
  sigv4,
  timeOfAmzDate,
} from '../../../src/sandbox/r2/authenticate.ts'

const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const empty = sha256Hex('')

describe('sigv4 agrees with the examples in AWS’s own documentation', () => {
  test.each([
    {
      name: 'GET with a range',
      path: '/test.txt',
      query: [],
      headers: { range: 'bytes=0-9' },
      expected: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
    {
      name: 'a query without a value',
      path: '/',
      query: [['lifecycle', '']],
      headers: {},
      expected: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    },
    {
      name: 'a list, its parameters in any order',
      path: '/',
      query: [
        ['prefix', 'J'],
        ['max-keys', '2'],
      ],
      headers: {},
      expected: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    },
  ] as const)('$name', ({ path, query, headers, expected }) => {
    const signed = new Map<string, string>([
      ['host', 'examplebucket.s3.amazonaws.com'],
      ...Object.entries(headers),
      ['x-amz-content-sha256', empty],
      ['x-amz-date', '20130524T000000Z'],
    ])
    const signature = sigv4(
      {
        method: 'GET',
        path,
        query,
        headers: signed,
        signedHeaders: [...signed.keys()].sort(),
        payloadHash: empty,
        amzDate: '20130524T000000Z',
        scope: { date: '20130524', region: 'us-east-1' },
      },
      secret,
    )
    expect(signature).toBe(expected)
  })

  test('a presigned address', () => {
    const signature = sigv4(
      {
        method: 'GET',
        path: '/test.txt',
        query: [
          ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
          ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
          ['X-Amz-Date', '20130524T000000Z'],
          ['X-Amz-Expires', '86400'],
          ['X-Amz-SignedHeaders', 'host'],
        ],
        headers: new Map([['host', 'examplebucket.s3.amazonaws.com']]),
        signedHeaders: ['host'],
        payloadHash: 'UNSIGNED-PAYLOAD',
        amzDate: '20130524T000000Z',
        scope: { date: '20130524', region: 'us-east-1' },
      },
      secret,
    )
    expect(signature).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404')
  })
})

test.each([
  ['plain-._~', 'plain-._~'],
  ["a b/ü'(*)!", 'a%20b%2F%C3%BC%27%28%2A%29%21'],
])('awsEncode(%s)', (text, expected) => {
  expect(awsEncode(text)).toBe(expected)
})

test('canonicalQuery sorts by name, then by value', () => {
  expect(
    canonicalQuery([
      ['b', '2'],
      ['b', '1'],
      ['a', ''],
    ]),
  ).toBe('a=&b=1&b=2')
})

test.each([
  ['20130524T000102Z', Date.UTC(2013, 4, 24, 0, 1, 2)],
  ['2013-05-24T00:01:02Z', undefined],
  ['20131324T000102Z', undefined],
  ['Fri, 24 May 2013 00:00:00 GMT', undefined],
])('timeOfAmzDate(%s)', (text, expected) => {
  expect(timeOfAmzDate(text)).toBe(expected)
})

test('amzDateOf leaves milliseconds out', () => {
  expect(amzDateOf(Date.UTC(2013, 4, 24, 0, 1, 2, 999))).toBe('20130524T000102Z')
})
