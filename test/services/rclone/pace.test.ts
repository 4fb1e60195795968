import { describe, expect, it } from 'vitest'
import { Gauge, Pace, type PaceWishes } from '../../../src/services/rclone/pace.ts'

interface Line {
  readonly latencyMs: number
  /** Files a second that the machine or the bucket does at most. */
  readonly most: number
  readonly given?: number
}

/** Runs one after the other on a line that is modelled, as the numbers of transfers that were tried. */
function ran(pace: Pace, runs: number, { latencyMs, most, given }: Line): number[] {
  return Array.from({ length: runs }, () => {
    const stride = pace.next({ given, latencyMs })
    const files = Math.min(stride.files, 20_000)
    const perSecond = Math.min((stride.transfers * 1000) / latencyMs, most)
    const measured = { asked: undefined, granted: files, refused: 0, grantedSince: 0 }
    const speed = { filesPerSecond: perSecond, bytesPerSecond: perSecond * 50_000 }
    const ms = (1000 * files) / perSecond
    const { transfers } = stride
    pace.ended({ ...measured, ...speed, transfers, files, rate: perSecond, ms })
    return transfers
  })
}

describe('where it begins', () => {
  it.each<[string, PaceWishes, number]>([
    ['near', { latencyMs: 2 }, 72],
    ['20 ms', { latencyMs: 20 }, 144],
    ['100 ms', { latencyMs: 100 }, 464],
    ['far', { latencyMs: 900 }, 768],
    ['many files near by: a few first', { latencyMs: 20, waiting: 9_000 }, 24],
    ['many files far away', { latencyMs: 100, waiting: 9_000 }, 464],
    ['very many files far away: some first', { latencyMs: 100, waiting: 20_000 }, 96],
    ['very many files, not measured', { waiting: 20_000 }, 96],
    ['many files, as asked for', { latencyMs: 20, waiting: 9_000, given: 7 }, 7],
    ['not measured', {}, 364],
    ['as asked for', { latencyMs: 250, given: 7 }, 7],
  ])('%s', (_, wishes, transfers) => {
    expect(new Pace().next(wishes).transfers).toBe(transfers)
  })

  it('the few are asked for once, and nothing is learned from them', () => {
    const pace = new Pace()
    const wishes = { latencyMs: 20, waiting: 9_000 }
    const { transfers, files } = pace.next(wishes)
    const speed = { filesPerSecond: 1_000, bytesPerSecond: 1_000_000, rate: 1_000, ms: 90 }
    const measured = { asked: undefined, granted: files, refused: 0, grantedSince: 0 }
    pace.ended({ ...measured, ...speed, transfers, files })
    expect(pace.next(wishes).transfers).toBe(144)
  })

  it('the end of a run is a small part of it', () => {
    const { transfers, files } = new Pace().next({ latencyMs: 250 })
    expect(files / transfers).toBeGreaterThan(33)
  })
})

describe('where it goes', () => {
  it.each<[string, Line, number, number]>([
    ['more as long as that brings something', { latencyMs: 400, most: 5_000 }, 768, 768],
    ['up to the most', { latencyMs: 100, most: 8_000 }, 650, 768],
    ['fewer when as many do the same', { latencyMs: 100, most: 500 }, 50, 90],
  ])('%s', (_, line, least, most) => {
    const tried = ran(new Pace(), 30, line).slice(-12)
    const times = (transfers: number) => tried.filter((one) => one === transfers).length
    const held = tried.toSorted((a, b) => times(a) - times(b)).at(-1) ?? 0
    expect([held >= least, held <= most]).toEqual([true, true])
  })

  it('never below 32 or above 768', () => {
    const tried = [
      ...ran(new Pace(), 40, { latencyMs: 5, most: 50 }),
      ...ran(new Pace(), 40, { latencyMs: 900, most: 90_000 }),
    ]
    expect([Math.min(...tried), Math.max(...tried)]).toEqual([32, 768])
  })

  it('a line that changes is followed', () => {
    const pace = new Pace()
    ran(pace, 20, { latencyMs: 20, most: 900 })
    const tried = ran(pace, 60, { latencyMs: 200, most: 900 })
    expect(Math.max(...tried)).toBeGreaterThanOrEqual(90)
  })

  it('what was asked for stays, whatever is measured', () => {
    const tried = ran(new Pace(), 30, { latencyMs: 300, most: 900, given: 48 })
    expect(new Set(tried)).toEqual(new Set([48]))
  })
})

it('a run is measured without its start and without its end', () => {
  let ms = 5_000
  const stride = { transfers: 10, perSecond: undefined, files: 100 }
  const gauge = new Gauge({ stride, files: 100, requests: 1, size: () => 1_000, now: () => ms })
  for (let file = 1; file <= 100; file += 1) {
    gauge.copied(String(file))
    ms += file <= 90 ? 10 : 1_000
  }
  const { files, filesPerSecond, bytesPerSecond } = gauge.measured
  expect(files).toBe(100)
  expect(Math.round(filesPerSecond)).toBeCloseTo(101, -1)
  expect(bytesPerSecond).toBeCloseTo(filesPerSecond * 1_000)
})
