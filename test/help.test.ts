import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { screenWidth } from '../src/columns.ts'
import { commands } from '../src/commands.ts'
import { topicOf } from '../src/topics.ts'
import { HOMEPAGE, helpPage } from './fakes/help-page.ts'
import { wrongLines } from './fakes/shown-lines.ts'

const widths = [200, 100, 80, 60, 40]
const names = commands.map(({ name }) => name)
const pages = ['--help', ...names].flatMap((name) => widths.map((width) => ({ name, width })))
const withFlags = names.filter((name) => !['help', 'completion', 'version'].includes(name))

describe('a page of help', () => {
  test.each(pages)('$name fits $width columns, no word is broken', async ({ name, width }) => {
    const page = await helpPage(name, width)
    const long = page.split('\n').filter((line) => line.length > width)
    expect(long).toEqual([])
    const words = (of: string) => of.replaceAll(/[\s\\]+/g, '')
    expect(words(page)).toBe(words(await helpPage(name, 500)))
  })

  test.each(withFlags)('%s has three examples that the command takes', async (name) => {
    const { examples = [] } = (await topicOf(name)) ?? {}
    expect(examples).toHaveLength(3)
    expect(new Set(examples.map(([want]) => want)).size).toBe(3)
    for (const [, line] of examples) expect(line).toMatch(new RegExp(`^npx mastodon-r2 ${name}\\b`))
    expect(await wrongLines(examples.map(([, line]) => line).join('\n'))).toEqual([])
  })

  test.each(withFlags)('%s says where the docs are', async (name) => {
    const { docs = '' } = (await topicOf(name)) ?? {}
    expect(existsSync(new URL(`../${docs}`, import.meta.url))).toBe(true)
    expect(await helpPage(name)).toContain(`Docs: ${docs} at ${HOMEPAGE}`)
  })

  test.each(withFlags)('%s: a flag and its words are one line where they fit', async (name) => {
    const page = await helpPage(name, 300)
    const { catalog = {} } = (await topicOf(name)) ?? {}
    for (const { flag, help } of Object.values(catalog)) {
      const lines = page.split('\n').filter((line) => line.includes(`${flag} `))
      expect(lines.filter((line) => line.includes(help))).toHaveLength(1)
    }
  })

  test('check and undo speak of themselves', async () => {
    for (const name of ['check', 'undo']) {
      const page = await helpPage(name, 300)
      expect(page).not.toMatch(/What to set up|made when it does not exist|env file to write/)
    }
  })
})

describe('the width', () => {
  test.each([
    ['of the terminal', { isTTY: true, columns: 61 }, {}, 61],
    ['of the terminal, whatever COLUMNS says', { isTTY: true, columns: 61 }, { COLUMNS: '90' }, 61],
    ['80 in a terminal that does not tell', { isTTY: true, columns: 0 }, {}, 80],
    ['80 in a pipe', {}, {}, 80],
    ['COLUMNS in a pipe', {}, { COLUMNS: '100' }, 100],
    ['80 where COLUMNS is none', {}, { COLUMNS: 'wide' }, 80],
    ['30 at least', { isTTY: true, columns: 4 }, {}, 30],
  ])('%s', (_, stdout, environment, expected) => {
    expect(screenWidth({ stdout: stdout as NodeJS.WriteStream, environment })).toBe(expected)
  })
})
