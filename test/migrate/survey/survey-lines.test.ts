import { describe, expect, it } from 'vitest'
import { shownKey, surveyLines } from '../../../src/migrate/survey/lines.ts'
import { type CountingWishes, surveyOf } from './surveys.ts'

const odd: CountingWishes['odd'] = [
  ['hidden', '.gitkeep'],
  ['unreadable', 'accounts/avatars/closed/'],
  ['dangling-link', 'caf\u00e9/gone.png'],
]

describe('surveyLines', () => {
  it.each<[string, CountingWishes, number]>([
    ['survey-32.txt', { odd }, 32],
    ['survey-60.txt', { odd }, 60],
    ['survey-100.txt', { odd }, 100],
    ['survey-110.txt', { odd }, 110],
    ['survey-80.txt', { odd }, 80],
    ['survey-only-local-100.txt', { onlyLocal: true, skip: ['old site/'], latencyMs: 42.4 }, 100],
    ['survey-empty-60.txt', { files: [] }, 60],
  ])('%s', async (golden, wishes, width) => {
    const lines = surveyLines(surveyOf(wishes), width)
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${golden}`)
  })

  it.each([56, 60, 72, 80, 100, 140])('%d columns: ASCII, indented, never longer', (width) => {
    for (const line of surveyLines(surveyOf({ odd, latencyMs: 120 }), width)) {
      expect(line).toMatch(/^ {2}[\x20-\x7e]*[^ ]$/)
      expect(line.length).toBeLessThanOrEqual(width)
    }
  })

  it.each([
    ['a/b.png', 'a/b.png'],
    ['a b', '"a b"'],
    ['a\nb', '"a\\nb"'],
    ['a\u001b[31m', '"a\\u001b[31m"'],
    ['caf\u00e9', '"caf\\u00e9"'],
    ['\u{1F600}', '"\\ud83d\\ude00"'],
  ])('%j is shown as %s', (key, shown) => {
    expect(shownKey(key)).toBe(shown)
  })
})
