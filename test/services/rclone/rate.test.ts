import { describe, expect, it } from 'vitest'
import { Rate, type RateRun } from '../../../src/services/rclone/rate.ts'

/** A bucket that grants so many requests a second, and the runs that a Rate makes of it. */
class Bucket {
  perSecond: number
  readonly rate = new Rate()
  readonly sum = { granted: 0, refused: 0, seconds: 0 }
  /** What the client would do if nothing held it back, a second. */
  readonly free = 1_000

  constructor(perSecond: number) {
    this.perSecond = perSecond
  }

  /** One run: what is above the limit is refused until it was enough. */
  run(): RateRun {
    const { rate } = this
    const asked = rate.perSecond
    const speed = Math.min(asked ?? this.free, this.free)
    const total = rate.requests ?? 10_000
    const step = 0.01
    let [sent, granted, refused, since, seconds, tokens] = [0, 0, 0, 0, 0, this.perSecond / 10]
    while (sent < total && !Rate.isEnough({ asked, grantedSince: since, refused })) {
      tokens = Math.min(this.perSecond / 10, tokens + this.perSecond * step)
      const now = speed * step
      const ok = Math.min(now, tokens)
      tokens -= ok
      sent += now
      granted += ok
      refused += now - ok
      if (refused > 0) since += ok
      seconds += step
    }
    this.sum.granted += granted
    this.sum.refused += refused
    this.sum.seconds += seconds
    const ended = { asked, granted, refused, grantedSince: since }
    const run = { ...ended, rate: granted / seconds, ms: seconds * 1000 }
    rate.ended(run)
    return run
  }

  until(seconds: number): this {
    const end = this.sum.seconds + seconds
    while (this.sum.seconds < end) this.run()
    return this
  }
}

describe('a limit is found and kept to', () => {
  it.each([20, 75, 300, 500, 900])('%i requests a second', (limit) => {
    const bucket = new Bucket(limit).until(120)
    const { granted, refused, seconds } = bucket.sum
    expect(granted / seconds / limit).toBeGreaterThan(0.9)
    expect(refused / (granted + refused)).toBeLessThan(limit < 50 ? 0.03 : 0.01)
  })

  it('a limit that comes down, and one that goes up', () => {
    const bucket = new Bucket(600).until(120)
    for (const limit of [200, 450]) {
      bucket.perSecond = limit
      bucket.until(90)
      const before = { ...bucket.sum }
      bucket.until(60)
      const granted = bucket.sum.granted - before.granted
      expect(granted / (bucket.sum.seconds - before.seconds) / limit).toBeGreaterThan(0.85)
    }
  })

  it('a limit that goes is forgotten', () => {
    const bucket = new Bucket(300).until(120)
    bucket.perSecond = 100_000
    bucket.until(200)
    expect(bucket.rate.perSecond).toBeUndefined()
  })
})

describe('what is no limit', () => {
  const run = {
    asked: undefined,
    granted: 5_000,
    refused: 0,
    grantedSince: 0,
    rate: 900,
    ms: 5_000,
  }

  it.each<[string, Partial<RateRun>]>([
    ['nothing refused', {}],
    ['a few of many', { refused: 5, grantedSince: 100 }],
    ['nothing done at all', { granted: 0 }],
  ])('%s', (_, more) => {
    const rate = new Rate()
    expect(rate.ended({ ...run, ...more })).toEqual({ wait: 0 })
    expect([rate.perSecond, rate.requests]).toEqual([undefined, undefined])
  })
})

it('where nothing is granted it waits longer and longer, then gives up', () => {
  const rate = new Rate()
  const nothing = { granted: 0, refused: 3, grantedSince: 0, rate: 0, ms: 0 }
  const verdicts = [1, 2, 3, 4, 5].map(() => rate.ended({ asked: rate.perSecond, ...nothing }))
  expect(verdicts).toEqual([{ wait: 5 }, { wait: 15 }, { wait: 30 }, { wait: 60 }, 'gaveUp'])
  expect(rate.perSecond).toBe(1)
})

it('one that grants again is not waited for as if it never had', () => {
  const rate = new Rate()
  const nothing = { granted: 0, refused: 3, grantedSince: 0, rate: 0, ms: 0 }
  rate.ended({ asked: undefined, ...nothing })
  rate.ended({ asked: 50, granted: 100, refused: 0, grantedSince: 0, rate: 50, ms: 2_000 })
  expect(rate.ended({ asked: 100, ...nothing })).toEqual({ wait: 5 })
})
