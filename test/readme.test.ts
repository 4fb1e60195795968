import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commands, overview } from '../src/commands.ts'
import { edgePermissions, tokenPermissions } from '../src/flow/token.ts'
import { helpOn } from '../src/help.ts'
import type { Host } from '../src/host.ts'
import { MINIFLARE_VERSION } from '../src/sandbox/r2/emulator.ts'
import { parseAnswers } from '../src/settings/answers.ts'
import { catalog } from '../src/settings/catalog.ts'
import { Settings } from '../src/settings/resolve.ts'
import type { Setting } from '../src/settings/setting.ts'
import { initSteps } from '../src/setup/steps.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const settings = Object.entries(catalog as Record<string, Setting<unknown>>)
const [, picture = ''] = /^```text\n([\s\S]*?)^```$/m.exec(readme) ?? []
const words = readme.replace(picture, '')

async function page(command: string): Promise<string> {
  let text = ''
  const stdout = { write: (part: string) => (text += part) }
  const code = await helpOn(commands, overview).run(
    { stdout, version: '0.0.0' } as unknown as Host,
    [command],
  )
  expect(code).toBe(0)
  return text
}

function section(title: string): string {
  const [, text = ''] = readme.split(`\n## ${title}\n`)
  return text.split('\n## ')[0] ?? ''
}

function rows(title: string): string[] {
  return section(title)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
}

function row(
  name: string,
  { flag, value, env, help, fallback, fallbackHelp, ...rest }: Setting<unknown>,
) {
  const cells = [
    value === undefined ? `\`${flag}\`` : `\`${flag} ${value}\``,
    env === undefined ? '' : `\`${env}\``,
    fallback === undefined ? (fallbackHelp ?? '') : `\`${fallback}\``,
    rest.answerable === false ? '' : `\`${name}\``,
    help,
  ]
  return `|${cells.map((cell) => ` ${cell.replaceAll('|', '\\|')} `.replace(/^ {2}$/, ' ')).join('|')}|`
}

describe('the settings table', () => {
  test('has a row for every setting, in the order of the catalog', () => {
    expect(rows('Settings')).toEqual(settings.map(([name, setting]) => row(name, setting)))
  })

  test('names the flags and variables that help init names', async () => {
    const text = await page('init')
    const flags = (of: string) => new Set(of.match(/(?<=^| {2}|`)--[a-z0-9-]+/gm))
    expect(flags(rows('Settings').join('\n'))).toEqual(flags(text))
    for (const [, { env }] of settings) if (env !== undefined) expect(text).toContain(env)
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
      const known = await page(name)
      for (const [flag] of flags.matchAll(/--[a-z-]+/g)) expect(known).toContain(`  ${flag}`)
    },
  )

  test('the answers are good answers', async () => {
    const [, json = ''] = /echo '(\{.*\})'/.exec(readme) ?? []
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
    const named = [...readme.matchAll(/npm run ([a-z]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(2)
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([])
  })

  test('the emulator is the pinned one', () => {
    expect(readme.match(/miniflare@[\d.]+/g)).toEqual([`miniflare@${MINIFLARE_VERSION}`])
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
  const named = rows('The API token').map((line) => line.split('|')[1]?.trim())
  expect(named).toEqual(tokenPermissions())
})

test('every extra at the edge is named with its permission', () => {
  const named = rows('Rules at the edge').map((line) => {
    const [, name, , permission] = line.split('|').map((cell) => cell.trim())
    return { name: name?.replaceAll('`', ''), permission }
  })
  expect(named).toEqual(edgePermissions())
})

test('the exit codes are those of the help screen', () => {
  const [, told = ''] = overview('').split('Exit codes:')
  const named = rows('Exit codes').map((line) => line.split('|')[1]?.trim())
  expect(named).toEqual(told.match(/\d+/g))
})

test('commands that do not exist are not promised', () => {
  const named = [...words.matchAll(/mastodon-r2 ([a-z]{4,})\b/g)].map(([, name]) => name)
  const known = commands.map(({ name }) => name)
  expect(named.filter((name) => !known.includes(String(name)))).toEqual([])
})
