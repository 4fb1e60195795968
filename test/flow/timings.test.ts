import { expect, it } from 'vitest'
import { type Timed, timingLines, waitedFor } from '../../src/flow/timings.ts'

const request = (what: string, begin: number, end: number): Timed => ({ what, begin, end })

it('what the end waited for is told, and not what ran beside it', () => {
  const requests = [
    request('GET /accounts', 100, 200),
    request('GET /zones', 100, 150),
    request('GET /verify', 201, 300),
    request('GET /beside', 210, 290),
    request('POST /buckets', 320, 400),
  ]
  expect(waitedFor(requests).map(({ what }) => what)).toEqual([
    'GET /accounts',
    'GET /verify',
    'POST /buckets',
  ])
})

it('what is asked again and again is one line', () => {
  const requests = [
    request('POST /domains', 1000, 1100),
    request('GET /domains', 1200, 1300),
    request('GET /domains', 1400, 1500),
    request('PUT /key', 1500, 1550),
  ]
  expect(timingLines(requests, 2000)).toEqual([
    'Timings: 4 requests; 4 round trips one after another is what the end waited for.',
    '  at    1.00 s    100 ms  POST /domains',
    '  at    1.20 s    200 ms  GET /domains, 2 times',
    '  at    1.50 s     50 ms  PUT /key',
    'Of 2.00 s these answers took 0.35 s; the rest is pauses, and the work of this program.',
  ])
})

it('a run that asked for nothing says so', () => {
  expect(timingLines([], 500)[0]).toBe(
    'Timings: 0 requests; 0 round trips one after another is what the end waited for.',
  )
})
