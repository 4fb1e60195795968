import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StatusLine } from '../../src/ui/status-line.ts'
import { Screen } from './terminal.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function line(columns = 80, unicode = false) {
  const screen = new Screen(columns)
  return { status: new StatusLine(screen.stream, unicode), screen }
}

const shown = (screen: Screen) => screen.text.replace(/^\S+\s+\S /, '')

describe('the status line', () => {
  it('shows what was begun last first, and goes with the last one', () => {
    const { status, screen } = line()
    status.set('domain', 'Custom domain')
    status.set('key', 'Access key')
    expect(shown(screen)).toMatch(/^Access key\W+Custom domain$/)
    status.remove('key')
    vi.advanceTimersByTime(500)
    expect(shown(screen)).toBe('Custom domain')
    status.remove('domain')
    expect(screen.text).toBe('')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('counts the seconds of each, also when its words change', () => {
    const { status, screen } = line()
    status.set('domain', 'Custom domain')
    vi.advanceTimersByTime(1_000)
    expect(shown(screen)).toBe('Custom domain')
    vi.advanceTimersByTime(4_000)
    status.set('domain', 'Custom domain: pending')
    expect(shown(screen)).toBe('Custom domain: pending, 5 s')
  })

  it('moves, so that one sees it is alive', () => {
    const { status, screen } = line()
    status.set('a', 'Bucket')
    const frames = new Set<string>()
    for (let i = 0; i < 8; i++) {
      frames.add(screen.text)
      vi.advanceTimersByTime(120)
    }
    expect(frames.size).toBe(4)
    status.clear()
  })

  it.each([40, 60])('is cut to one line of %i columns', (columns) => {
    const { status, screen } = line(columns)
    status.set('a', 'a long word about a long wait '.repeat(4))
    expect(screen.text.length).toBeLessThanOrEqual(columns)
    expect(screen.text).toMatch(/(…|\.\.\.)$/)
    status.clear()
  })

  it('the seconds are seen, however long the words are', () => {
    const { status, screen } = line(40)
    status.set('a', 'a long word about a long wait '.repeat(4))
    vi.advanceTimersByTime(12_000)
    expect(screen.text).toMatch(/\.\.\., 12 s$/)
    expect(screen.text.length).toBeLessThanOrEqual(40)
    status.clear()
  })

  it('hides for lines that stay, and comes back below them', () => {
    const { status, screen } = line()
    status.set('a', 'Bucket')
    status.hide()
    screen.write('a line that stays\n')
    vi.advanceTimersByTime(120)
    expect(screen.lines[0]).toBe('a line that stays')
    expect(screen.lines[1]).toContain('Bucket')
    status.clear()
  })
})
