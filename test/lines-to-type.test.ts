import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ToType } from '../src/core/to-type.ts'
import { readSource, sourceFiles } from './architecture/imports.ts'
import { helpPage } from './fakes/help-page.ts'
import { catalogs, faultOf, shownLines, strayLines, wrongLines } from './fakes/shown-lines.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

function below(folder: string, name: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => name.test(path))
    .map((path) => `${folder}/${path}`)
}

describe('every line that is shown is one that the program takes', () => {
  const pages = ['README.md', ...below('docs', /\.md$/)]
  const texts = [...below('templates', /./), ...below('test/ui/golden', /./)]

  test.each([...pages, ...texts])('in %s', async (path) => {
    expect(await wrongLines(read(path))).toEqual([])
  })

  test.each(['--help', ...Object.keys(catalogs), 'help'])('in help %s', async (topic) => {
    expect(await wrongLines(await helpPage(topic))).toEqual([])
  })

  test('the pages do have lines, so the rule above can see them', () => {
    const seen = new Set(
      pages.flatMap((path) => shownLines(read(path))).map((line) => line.command),
    )
    expect([...seen].sort()).toEqual(Object.keys(catalogs).sort())
  })

  test.each([
    ['To see: npx mastodon-r2 check. Then go on', ['check']],
    ['npx mastodon-r2 init --edge recommended puts some there', ['init --edge recommended']],
    ['(`npx mastodon-r2 migrate --stage cutover --yes`)', ['migrate --stage cutover --yes']],
    ['  npx mastodon-r2 migrate\n--stage copy', ['migrate --stage copy']],
    ["mastodon-r2 undo --mastodon-env '/it is' --yes", ['undo --mastodon-env /it is --yes']],
    ['mastodon-r2 init and mastodon-r2 rotate --grace 0s', ['init', 'rotate --grace 0s']],
    ['mastodon-r2 init\n--format is wrong', []],
    ['mastodon-r2 holds a mastodon-r2-probe/', []],
  ])('%j has the lines %j', (text, lines) => {
    const found = shownLines(text).map(({ command, argv }) => [command, ...argv].join(' '))
    expect(found).toEqual(lines)
  })

  test.each([
    'npx mastodon-r2 check --stage copy',
    'npx mastodon-r2 migrate --stage copi',
    'npx mastodon-r2 init --media-host',
    'npx mastodon-r2 init --sandbox=yes',
  ])('%s is not', async (line) => {
    expect(await wrongLines(line)).toHaveLength(1)
  })
})

test.each([
  ['Next: npx mastodon-r2 check', ['init', '--connect-to', 'x'], 1],
  ['Next: npx mastodon-r2 check --connect-to x', ['init', '--connect-to', 'x'], 0],
  ['Next: npx mastodon-r2 usage', ['init', '--connect-to', 'x'], 0],
  ['Next: npx mastodon-r2 usage', ['init', '--s3-endpoint-url', 'x'], 1],
  ['held by "mastodon-r2 check" (process 1)', ['init', '--connect-to', 'x'], 0],
  ['Next: npx mastodon-r2 check', ['init'], 0],
])('%s of a run %j leads elsewhere: %i', (text, argv, count) => {
  expect(strayLines(text, argv)).toHaveLength(count)
})

test('no full stop or comma follows a line: it would be typed as well', () => {
  const glued = sourceFiles().filter((path) =>
    /\b(toType|lineFor)\([^`\n]*\)\}[.,;]/.test(readSource(path)),
  )
  expect(glued).toEqual([])
})

/** `toType('migrate', { stage: 'copy', mediaHost })` of the sources; a value that is worked out is HOST. */
function made(source: string): ToType[] {
  return [
    ...source.matchAll(/\btoType\(\s*'(\w+)'(?:,\s*\{([^{}]*(?:\$\{[^}]*\}[^{}]*)*)\})?/g),
  ].map(([, command = '', inside = '']) => {
    const parts = inside
      .replaceAll(/\.{3}\w+,?/g, '')
      .matchAll(/(\w+)(?::\s*('[^']*'|true|\[[^\]]*\]|[^,]+))?(?:,|\s*$)/g)
    const flags = [...parts].map(([, name = '', value = 'HOST']) => {
      if (value === 'true') return [name, true] as const
      const literals = [...value.matchAll(/'([^']*)'/g)].map(([, literal = '']) => literal)
      return [name, /^['[]/.test(value) ? literals : 'HOST'] as const
    })
    return new ToType(command, Object.fromEntries(flags))
  })
}

describe('lines in the sources', () => {
  const lines = sourceFiles().flatMap((file) => made(readSource(file)))

  test('are all ones that the program takes', async () => {
    expect(lines.length).toBeGreaterThan(50)
    const faults = await Promise.all(lines.flatMap((line) => shownLines(String(line)).map(faultOf)))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })

  test('are made by toType alone', () => {
    const code = (file: string) => readSource(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    const guilty = sourceFiles().filter((file) => /\bnpx mastodon-r2\b/.test(code(file)))
    expect(guilty).toEqual([])
  })

  test('of other programs quote what they are given', () => {
    const bare =
      /(?<![\w-])(?:rm|mv|ls|ls -l|cd|chmod \S+|docker compose -f|systemctl(?: [a-z-]+)+(?: --full)?) \$\{(?!shell(?:Word|Line)\()[^}]*\}/g
    const guilty = sourceFiles()
      .filter((file) => !file.startsWith('sandbox/'))
      .flatMap((file) => [...readSource(file).matchAll(bare)].map(([line]) => `${file}: ${line}`))
    expect(guilty).toEqual([])
  })

  test('have one quoter for a shell', () => {
    const quoters = sourceFiles().filter((file) => readSource(file).includes(`'\\\\''`))
    expect(quoters).toEqual(['core/shell-word.ts'])
  })
})

describe('a flag is its setting’s name', () => {
  const named = Object.entries(catalogs).flatMap(([command, settings]) =>
    Object.entries(settings).map(([name, setting]) => ({ command, name, setting })),
  )

  test.each(named.filter(({ setting }) => !setting.secret))('$command: $name', (one) => {
    const { command, name, setting } = one
    const flags = { [name]: setting.value === undefined ? (true as const) : 'x' }
    const value = setting.value === undefined ? '' : ' x'
    expect(String(new ToType(command, flags))).toBe(
      `npx mastodon-r2 ${command} ${setting.flag}${value}`,
    )
  })
})
