import { describe, expect, test } from 'vitest'
import { dayChart, shareBar, short } from '../../src/usage/chart.ts'

const days = Array.from({ length: 30 }, (_, at) => {
  return { day: `2026-11-${String(at + 1).padStart(2, '0')}`, value: at === 29 ? 0 : at * 100 }
})

describe('a chart', () => {
  test.each([38, 58, 78, 98])('fits %d columns, and ends with today', (width) => {
    for (const unicode of [true, false]) {
      const lines = dayChart(days, { width, unicode })
      expect(lines.length).toBe(7)
      expect(lines.filter((line) => line.length > width)).toEqual([])
      expect(lines.at(-1)?.endsWith('11-30')).toBe(true)
      expect(lines[0]).toContain('2.8k')
    }
  })

  test('is ASCII where the terminal is', () => {
    expect(dayChart(days, { width: 78, unicode: false }).join('')).toMatch(/^[\x20-\x7e]*$/)
    expect(shareBar(0.5, 10, false)).toBe('#####')
  })

  test('a little is more than nothing', () => {
    const few = [
      { day: '2026-11-01', value: 1_000_000 },
      { day: '2026-11-02', value: 1 },
      { day: '2026-11-03', value: 0 },
    ]
    expect(dayChart(few, { width: 40, unicode: true })[4]).toMatch(/│█▁$/)
    expect(dayChart(few, { width: 40, unicode: false })[4]).toMatch(/\|#\.$/)
    expect([shareBar(0.0001, 10, true), shareBar(0, 10, true)]).toEqual(['▏', ''])
  })

  test('of nothing at all has no bar', () => {
    const none = [{ day: '2026-11-01', value: 0 }]
    expect(dayChart(none, { width: 40, unicode: false })[4]).toMatch(/\|$/)
  })
})

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [99_949, '99.9k'],
  [999_499, '999k'],
  [999_999, '1.0M'],
  [123_456_789, '123M'],
  [5e9, '5.0G'],
])('%d is %s', (number, text) => {
  expect(short(number)).toBe(text)
})
