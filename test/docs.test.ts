import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { commands } from '../src/commands.ts'
import { edgePermissions, tokenPermissions } from '../src/flow/token.ts'
import { MINIFLARE_VERSION } from '../src/sandbox/r2/emulator.ts'
import { parseAnswers } from '../src/settings/answers.ts'
import { catalog } from '../src/settings/catalog.ts'
import { Settings } from '../src/settings/resolve.ts'
import { type Setting, variableOf } from '../src/settings/setting.ts'
import { initSteps } from '../src/setup/steps.ts'
import { helpPage } from './fakes/help-page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json'))
const settings = Object.entries(catalog as Record<string, Setting<unknown>>)
const [, picture = ''] = /^```text\n([\s\S]*?)^```$/m.exec(read('docs/init.md')) ?? []
// What the program says of itself in its errors is no line to type.
const told = pages.filter((page) => page !== 'docs/troubleshooting.md')
const words = told.map(read).join('\n').replace(picture, '')

/** The rows of the first table of a page, or of one of its sections. */
function rows(page: string, section = ''): string[] {
  const [, text = ''] = `\n${read(page)}`.split(section === '' ? '\n# ' : `\n## ${section}\n`)
  const [, table = ''] = /((?:^\|.*\n)+)/m.exec(text.split('\n## ')[0] ?? '') ?? []
  return table.trimEnd().split('\n').slice(2)
}

/** What a heading is called in a link, as GitHub does it. */
function anchors(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

function row(
  name: string,
  { flag, value, env, help, fallback, fallbackHelp, ...rest }: Setting<unknown>,
) {
  const cells = [
    value === undefined ? `\`${flag}\`` : `\`${flag} ${value}\``,
    `\`${variableOf({ flag, ...(env !== undefined && { env }) })}\``,
    fallback === undefined ? (fallbackHelp ?? '') : `\`${fallback}\``,
    rest.answerable === false ? '' : `\`${name}\``,
    help,
  ]
  return `|${cells.map((cell) => ` ${cell.replaceAll('|', '\\|')} `.replace(/^ {2}$/, ' ')).join('|')}|`
}

describe('the settings table', () => {
  test('has a row for every setting, in the order of the catalog', () => {
    expect(rows('docs/settings.md')).toEqual(settings.map(([name, setting]) => row(name, setting)))
  })

  test('names the flags and variables that help init names', async () => {
    const text = await helpPage('init')
    const flags = (of: string) => new Set(of.match(/(?<=^| {2}|`|-\w, )--[a-z0-9-]+/gm))
    expect(flags(rows('docs/settings.md').join('\n'))).toEqual(flags(text))
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'Every flag has a variable: MASTODON_R2_ and its name',
    )
    for (const [, { flag, env }] of settings)
      if (env !== undefined && env !== variableOf({ flag })) expect(text).toContain(env)
  })
})

describe('the examples', () => {
  const calls = [...words.matchAll(/\bmastodon-r2 (init|check|sandbox)\b([^|`\n]*)/g)]

  test('there are some', () => {
    expect(calls.length).toBeGreaterThanOrEqual(5)
  })

  test.each(calls.map(([call, name = '', flags = '']) => ({ call, name, flags })))(
    '$call has flags that exist',
    async ({ name, flags }) => {
      const known = await helpPage(name)
      for (const [flag] of flags.matchAll(/--[a-z-]+/g))
        expect(known).toMatch(new RegExp(`(  |, )${flag}\\b`))
    },
  )

  test('the answers are good answers', async () => {
    const [, json = ''] = /echo '(\{.*\})'/.exec(words) ?? []
    const answers = await parseAnswers(json, catalog)
    const resolved = await Settings.resolve(catalog, {
      flags: new Map(),
      environment: {},
      answers,
      readFile: () => Promise.reject(new Error('nothing to read')),
    })
    expect(resolved.get('mediaHost')).toBe('files.example.com')
  })

  test('npm scripts that are named exist', () => {
    const named = [...words.matchAll(/npm run ([a-z]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([])
  })

  test('the emulator is the pinned one', () => {
    const named = new Set(words.match(/miniflare@[\d.]+/g))
    expect([...named]).toEqual([`miniflare@${MINIFLARE_VERSION}`])
    expect(manifest.devDependencies.miniflare).toBe(MINIFLARE_VERSION)
  })
})

test('the picture shows every step of init, in its order', () => {
  const planned = picture.split('\n').flatMap((line) => {
    const [, title] = /^ {2}(?:ok|change) +([^:]+):/.exec(line) ?? []
    return title === undefined ? [] : [title]
  })
  expect([...new Set(planned)]).toEqual(initSteps.map(({ title }) => title))
})

test('the permissions are those that init asks for', () => {
  const named = rows('docs/token.md').map((line) => line.split('|')[1]?.trim())
  expect(named).toEqual(tokenPermissions())
})

test('every extra at the edge is named with its permission', () => {
  const named = rows('docs/edge-rules.md').map((line) => {
    const [, name, , permission] = line.split('|').map((cell) => cell.trim())
    return { name: name?.replaceAll('`', ''), permission }
  })
  expect(named).toEqual(edgePermissions())
})

test('the exit codes are those of the help screen', async () => {
  const [, told = ''] = (await helpPage('--help')).split('Exit codes:')
  const named = rows('docs/automation.md', 'Exit codes').map((line) => line.split('|')[1]?.trim())
  expect(named).toEqual(told.match(/\d+/g))
})

describe('the pages', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(
      ([, path = '', anchor]) => ({
        page,
        target: path === '' ? page : join(dirname(page), path),
        anchor,
      }),
    ),
  )

  test('README is short, and leads to every page', () => {
    expect(read('README.md').length).toBeLessThan(7_000)
    const open = ['README.md']
    for (const at of open)
      for (const { page, target } of links)
        if (page === at && !open.includes(target)) open.push(target)
    expect(pages.filter((page) => !open.includes(page))).toEqual([])
  })

  test('every link leads somewhere', () => {
    expect(links.length).toBeGreaterThan(10)
    const dead = links.filter(
      ({ target, anchor }) =>
        !existsSync(join(root, target)) ||
        (anchor !== undefined && !anchors(target).includes(anchor)),
    )
    expect(dead).toEqual([])
  })
})

test('commands that do not exist are not promised', () => {
  const named = [...words.matchAll(/mastodon-r2 ([a-z]{4,})\b/g)].map(([, name]) => name)
  const known = commands.map(({ name }) => name)
  expect(named.filter((name) => !known.includes(String(name)))).toEqual([])
})

describe('the page for contributors', () => {
  const page = read('.github/CONTRIBUTING.md')

  test('names files and folders that exist', () => {
    const named = [...page.matchAll(/`((?:src|test|templates|docs|\.build|\.ci)\/[\w./-]*)`/g)]
    const paths = named.map(([, path = '']) => path).filter((path) => !path.includes('NAME'))
    expect(paths.length).toBeGreaterThan(30)
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('has a row for every room of src', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    )
    expect(rooms.filter((room) => !new RegExp(`[\`\\s](src/)?${room}/`).test(page))).toEqual([])
  })
})

test('SECURITY.md names code and tests that exist', () => {
  const named = [...read('.github/SECURITY.md').matchAll(/`((?:src|test|\.github)\/[^`]+)`/g)]
  const paths = named.map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
})
