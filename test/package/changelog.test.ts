import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-changelog-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(cwd: string, ...args: readonly string[]) {
  const script = join(root, '.build/changelog.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    ...{ cwd, encoding: 'utf8', timeout: 20_000, env: { PATH: process.env.PATH } },
  })
  return { status, said: stdout + stderr }
}

/** A copy of the project's page and folder, with fragments and more text under Unreleased. */
function copy(fragments: Readonly<Record<string, string>> = {}, page?: string) {
  const dir = mkdtempSync(join(folder, 'copy-'))
  for (const name of ['CHANGELOG.md', 'changes']) {
    cpSync(join(root, name), join(dir, name), { recursive: true })
  }
  if (page !== undefined) {
    writeFileSync(join(dir, 'CHANGELOG.md'), page)
    const own = readdirSync(join(dir, 'changes')).filter((name) => name !== 'README.md')
    for (const name of own) rmSync(join(dir, 'changes', name))
  }
  for (const [name, text] of Object.entries(fragments))
    writeFileSync(join(dir, 'changes', name), text)
  return {
    dir,
    page: () => readFileSync(join(dir, 'CHANGELOG.md'), 'utf8'),
    names: () => readdirSync(join(dir, 'changes')),
  }
}

const PAGE = `# Changelog

Words.

## [Unreleased]

### Fixed

- Written by hand.

### Added

- So was this.

## [0.1.0] - 2026-01-01

### Added

- The first.
`

test('the fragments of this project are well-formed', () => {
  const { status, said } = run(root, '--check')
  expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('well-formed') })
})

test('a release has what stood under Unreleased, then the fragments, in the order of sections', () => {
  const at = copy(
    {
      'b-second.added.md': 'Two lines\nof text.\n\n| a | b |\n|---|---|\n',
      'a-first.added.md': 'One.',
      'hole.security.md': 'A hole is closed.\n',
    },
    PAGE,
  )
  expect(run(at.dir, '0.2.0', '2026-02-03')).toMatchObject({ status: 0 })
  expect(at.page()).toBe(`# Changelog

Words.

## [Unreleased]

## [0.2.0] - 2026-02-03

### Added

- So was this.
- One.
- Two lines
  of text.

  | a | b |
  |---|---|

### Fixed

- Written by hand.

### Security

- A hole is closed.

## [0.1.0] - 2026-01-01

### Added

- The first.
`)
  expect(at.names()).toEqual(['README.md'])
  expect(existsSync(join(at.dir, 'CHANGELOG.md.new'))).toBe(false)
  const page = at.page()
  expect(run(at.dir, '0.2.0', '2026-02-03')).toMatchObject({ status: 0 })
  expect(at.page()).toBe(page)
  expect(run(at.dir, '--notes', '0.2.0').said).toMatch(/^### Added\n[\s\S]*closed\.\n$/)
})

test('stopped before the fragments were removed, the next run removes them', () => {
  const at = copy({ 'one.fixed.md': 'Mended.' }, PAGE)
  run(at.dir, '0.2.0', '2026-02-03')
  const page = at.page()
  writeFileSync(join(at.dir, 'changes/one.fixed.md'), 'Mended.')
  expect(run(at.dir, '0.2.0', '2026-02-03')).toMatchObject({ status: 0 })
  expect([at.page(), at.names()]).toEqual([page, ['README.md']])
})

test("this project's own page becomes a release, and no entry of it is lost", () => {
  const at = copy({ 'one.changed.md': 'Something else.' })
  const before = at
    .page()
    .split('\n')
    .filter((line) => line.trim() !== '')
  const { status, said } = run(at.dir, '99.0.0', '2099-01-01')
  expect({ status, said }).toMatchObject({ status: 0 })
  const after = at.page().split('\n')
  expect(before.filter((line) => !after.includes(line))).toEqual([])
  expect(after.filter((line) => /^## /.test(line)).slice(0, 2)).toEqual([
    '## [Unreleased]',
    '## [99.0.0] - 2099-01-01',
  ])
  expect(after).toContain('- Something else.')
})

test('npm version gives the version', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(scripts.version).toBe('node .build/changelog.mjs && git add CHANGELOG.md changes')
})

describe('refused, and nothing is changed', () => {
  test.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'a section that is none',
      { 'a.improved.md': 'Text.' },
      ['0.2.0'],
      /a\.improved\.md is not named/,
    ],
    ['a name without a section', { 'a.md': 'Text.' }, ['0.2.0'], /a\.md is not named/],
    ['an empty one', { 'a.added.md': ' \n' }, ['0.2.0'], /a\.added\.md is empty/],
    ['a dash of its own', { 'a.added.md': '- Text.' }, ['0.2.0'], /begins with a dash/],
    ['what is no version', { 'a.added.md': 'Text.' }, ['next'], /"next" is no version/],
    ['no version', {}, [], /"" is no version/],
    ['what is no day', { 'a.added.md': 'Text.' }, ['0.2.0', '2026-02-30'], /is no day/],
    ['a version that is there', { 'a.added.md': 'Text.' }, ['0.1.0'], /has 0\.1\.0 already/],
    ['notes of what is not written', {}, ['--notes', '0.2.0'], /no heading for 0\.2\.0/],
    ['notes while there is more', {}, ['--notes', '0.1.0'], /stand under no release/],
  ])('%s', (_, fragments, args, words) => {
    const at = copy(fragments, PAGE)
    const names = at.names()
    const { status, said } = run(at.dir, ...args)
    expect(status).toBe(1)
    expect(said).toMatch(words)
    expect([at.page(), at.names()]).toEqual([PAGE, names])
  })

  test.each([
    ['a section that is none', PAGE.replace('### Fixed', '### Improved'), /section "Improved"/],
    ['text without a section', PAGE.replace('### Fixed\n', ''), /text above all sections/],
    ['nothing', PAGE.replace(/### Fixed[\s\S]*this\.\n\n/, ''), /nothing to release/],
    ['a page without Unreleased', PAGE.replace('## [Unreleased]', '## Next'), /no heading/],
  ])('under Unreleased: %s', (_, page, words) => {
    const at = copy({}, page)
    const { status, said } = run(at.dir, '0.2.0')
    expect(status).toBe(1)
    expect(said).toMatch(words)
    expect(at.page()).toBe(page)
  })
})
