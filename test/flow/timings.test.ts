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

it('what is asked again and again is one wait, whatever else is asked meanwhile', () => {
  const polls = [1200, 1400, 1600, 1800, 2000]
  const requests = [
    request('POST /domains', 1000, 1100),
    ...polls.map((at) => request('GET /domains', at, at + 100)),
    ...polls.map((at) => request('HEAD /bucket', at + 90, at + 190)).slice(0, 4),
    request('PUT /key', 2110, 2150),
  ]
  expect(timingLines(requests, 2500)).toEqual([
    'Timings: 11 requests; 3 round trips one after another is what the end waited for.',
    '  at    1.00 s    100 ms  POST /domains',
    '  at    1.20 s    900 ms  GET /domains, 5 times',
    '  at    2.11 s     40 ms  PUT /key',
    'Of 2.50 s these took 1.04 s; the rest is the work of this program, and of who was asked.',
  ])
})

it('ids and queries are no part of a line', () => {
  const id = '0123456789abcdef'.repeat(2)
  const requests = [request(`GET /accounts/${id}/tokens?page=1`, 0, 10)]
  expect(timingLines(requests, 20)[0]).toMatch(/^Timings: 1 request; 1 round trip /)
  expect(timingLines(requests, 20)[1]).toMatch(/ GET \/accounts\/0123\.\.\.\/tokens$/)
})

it('a run that asked for nothing says so', () => {
  expect(timingLines([], 500)[0]).toBe(
    'Timings: 0 requests; 0 round trips one after another is what the end waited for.',
  )
})
