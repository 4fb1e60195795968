import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type MediaTree,
  makeMediaTree,
  mediaClasses,
} from '../../../src/sandbox/mastodon/media-tree.ts'
import { tootctl } from '../../../src/sandbox/mastodon/tootctl.ts'
import { scratch } from './scratch.ts'

let live: string
let tree: MediaTree
beforeEach(async () => {
  live = scratch()
  tree = await makeMediaTree(join(live, 'public/system'), { files: 260 })
})

async function run(line: string) {
  const said: string[] = []
  const tell = (text: string) => void said.push(text)
  const code = await tootctl(live)({
    args: line.split(' '),
    cwd: live,
    out: tell,
    err: tell,
    signal: AbortSignal.timeout(20_000),
  })
  // As of the real one, the last line is dotenv's, and a bar comes before what it says.
  expect(said.pop()).toContain('[dotenv] Loaded')
  return { code, said, last: said.at(-1) ?? '' }
}

/** Keys that are gone, by what they begin with. */
function gone(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { key } of tree.files.filter(({ key }) => !existsSync(join(tree.dir, key)))) {
    const folder = mediaClasses.find((one) => key.startsWith(`${one.folder}/`))?.folder ?? ''
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return counts
}

const countOf = (folder: string) => tree.files.filter(({ key }) => key.startsWith(folder)).length

describe('what is removed', () => {
  test.each([
    [
      'media remove --days 0',
      'cache/media_attachments/',
      /^Removed \d+ media attachments \(approx\. [\d.]+ MB\)$|KB\)$/,
    ],
    [
      'media remove --prune-profiles --include-follows --days 0',
      'cache/accounts/',
      /^Visited \d+ accounts and removed profile media totaling/,
    ],
    [
      'preview_cards remove --days=0',
      'cache/preview_cards/',
      /^Removed media from \d+ preview cards \(approx\. [\d.]+ KB\)$/,
    ],
    ['emoji purge --remote-only', 'cache/custom_emojis/', /^OK$/],
  ])('%s takes all of %s', async (line, folder, words) => {
    const { code, last } = await run(line)
    expect(code).toBe(0)
    expect(last).toMatch(words)
    const taken = [...gone()]
    expect(taken.every(([of]) => `${of}/`.startsWith(folder))).toBe(true)
    expect(taken.reduce((sum, [, count]) => sum + count, 0)).toBe(countOf(folder))
  })

  test('by age, and profiles without followers only', async () => {
    await run('media remove --days 30')
    await run('media remove --prune-profiles --days 0')
    const files = gone().get('cache/media_attachments/files') ?? 0
    expect(files).toBeGreaterThan(5)
    expect(files).toBeLessThan(countOf('cache/media_attachments/files'))
    const avatars = gone().get('cache/accounts/avatars') ?? 0
    expect(avatars).toBeGreaterThan(5)
    expect(avatars).toBeLessThan(countOf('cache/accounts/avatars'))
  })

  test('is nothing with --dry-run, which counts the same', async () => {
    const rehearsed = await run('media remove --days 7 --dry-run')
    expect(gone().size).toBe(0)
    const { last } = await run('media remove --days 7')
    expect(rehearsed.last).toBe(`${last} (DRY RUN)`)
  })

  test('are orphans, each with its name', async () => {
    const { said } = await run('media remove-orphans')
    const orphans = tree.files.filter(({ key }) => /\/dead[^/]*$/.test(key))
    const removed = said.filter((line) => line.startsWith('Found and removed orphan: ')).length
    expect(removed).toBe(orphans.length)
    expect([...gone().values()].reduce((sum, count) => sum + count, 0)).toBe(orphans.length)
  })
})

test('accounts refresh --all removes nothing', async () => {
  const { code, last } = await run('accounts refresh --all')
  expect([code, gone().size]).toEqual([0, 0])
  expect(last).toMatch(/^Refreshed \d+ accounts$/)
})

test.each([
  ['emoji purge --remote-only --dry-run', 'Unknown switches "--dry-run"'],
  ['emoji purge', '--remote-only'],
  ['accounts refresh', 'No account(s) given'],
  ['media eat', 'Could not find command "eat".'],
])('%s is refused', async (line, words) => {
  const { code, last } = await run(line)
  expect(code).toBe(1)
  expect(last).toContain(words)
  expect(gone().size).toBe(0)
})
