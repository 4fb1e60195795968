import { describe, expect, it } from 'vitest'
import { closingLines, outcomeLine, planLines, settingLines, wrap } from '../../src/ui/words.ts'
import { plan, settings } from '../fakes/a-run.ts'

describe('wrap', () => {
  it.each<[string, string, number, string, string[]]>([
    ['short', 'one two', 10, '', ['one two']],
    ['exact', 'one two', 7, '', ['one two']],
    ['one too many', 'one two', 6, '', ['one', 'two']],
    ['indented', 'one two three', 8, '  ', ['one two', '  three']],
    ['the indent counts', 'aaaa bb cc', 5, '  ', ['aaaa', '  bb', '  cc']],
    ['a word too long', 'a https://example.com b', 8, '', ['a', 'https://example.com', 'b']],
    ['nothing', '', 8, '', ['']],
    ['lines stay lines', 'a\nb', 8, '', ['a', 'b']],
    [
      'commands stay whole',
      'do this:\n  npx mastodon-r2 init --yes',
      12,
      '',
      ['do this:', '  npx mastodon-r2 init --yes'],
    ],
    ['an amount is one word', 'it takes 10 s in all', 12, '', ['it takes', '10 s in all']],
    [
      'so does one in a sentence',
      'Then type: TOKEN="$TOKEN" npx mastodon-r2 undo --bucket a --yes. Or leave it.',
      30,
      '',
      ['Then type:', 'TOKEN="$TOKEN" npx mastodon-r2 undo --bucket a --yes.', 'Or leave it.'],
    ],
  ])('%s', (_, text, columns, indent, expected) => {
    expect(wrap(text, columns, indent)).toEqual(expected)
  })
})

describe('lines', () => {
  it('one of a plan for each change, its tone by its risk', () => {
    expect(planLines(plan, String).map(({ tone }) => tone)).toEqual([
      'ready',
      'public',
      'change',
      'destructive',
      'change',
      'fault',
    ])
    expect(planLines(plan, String).filter(({ text }) => text.includes('[public]'))).toHaveLength(1)
  })

  it.each([
    ['ready', 'ready'],
    ['changed', 'ready'],
    ['would-change', 'change'],
    ['failed', 'fault'],
    ['blocked', 'fault'],
    ['skipped', 'skipped'],
  ] as const)('%s looks like %s', (status, tone) => {
    expect(outcomeLine({ title: 'Bucket', note: 'there', status }, String)).toEqual({
      tone,
      text: 'Bucket: there',
    })
  })

  it('settings stand in columns, lists joined, each with its source', () => {
    expect(settingLines(settings)).toEqual([
      'media-host   files.example.com (--media-host)',
      'bucket       example-media (default)',
      'cors-origin  https://social.example.com, https://another.example.com (/home/mastodon/live/.env.production)',
    ])
    expect(settingLines({})).toEqual([])
  })

  it('of the closing: words wrapped, commands whole', () => {
    const command = `  sudo ${'x'.repeat(60)} y z`
    const sections = [
      { title: 'First', lines: ['one two three four', command] },
      { title: 'Second', lines: [] },
    ]
    expect(closingLines({ headline: 'unused', sections }, 12, String)).toEqual([
      '',
      'First:',
      '  one two',
      '  three four',
      command,
      '',
      'Second:',
    ])
  })
})
