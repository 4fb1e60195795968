import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { manual } from '../../.build/man.ts'
import { commands, EXITS } from '../../src/commands.ts'
import { topicOf } from '../../src/topics.ts'
import { isRequired } from '../requirement.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-man-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const release = { version: '1.2.3', date: '2026-11-05', homepage: 'https://git.example/it' }
const pages = [...(await manual(release))].map(([name, text]) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return { name, path, text }
})
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const noMandoc = whyNoMandoc()

function whyNoMandoc(): boolean {
  try {
    execFileSync('mandoc', ['-T', 'ascii', pages[0]?.path ?? ''], { stdio: 'ignore' })
    return false
  } catch (cause) {
    if (isRequired('mandoc')) throw new Error('mandoc is not installed.', { cause })
    return true
  }
}

/** As a reader sees it; letters that are struck over for bold once. */
function read(path: string): string {
  const text = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=100', path], { encoding: 'utf8' })
  return text.split('\b').reduce((before, part) => before.slice(0, -1) + part)
}

test('the package holds a page of the program, and one of each command with flags', async () => {
  const topics = await Promise.all(commands.map(({ name }) => topicOf(name)))
  const wanted = commands.flatMap(({ name }, at) => (topics[at] ? [`mastodon-r2-${name}.1`] : []))
  const names = pages.map(({ name }) => name).sort()
  expect(names).toEqual([...wanted, 'mastodon-r2.1'].sort())
  expect([...manifest.man].sort()).toEqual(names.map((name) => `man/${name}`))
  expect(manifest.files).toContain('man')
})

describe.skipIf(noMandoc)('mandoc', () => {
  test.each(pages)('$name: no warning', ({ path }) => {
    execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', path])
  })

  test.each(commands.map(({ name }) => name))(
    'the page of %s has every flag, its words and its variable',
    async (name) => {
      const topic = await topicOf(name)
      if (!topic) return
      const page = read(join(folder, `mastodon-r2-${name}.1`)).replaceAll(/\s+/g, ' ')
      for (const { flag, value, help } of Object.values(topic.catalog)) {
        expect(page).toContain(`${flag}${value === undefined ? '' : ` ${value}`} ${help}`)
      }
      for (const [, line] of topic.examples) expect(page).toContain(line)
    },
  )

  test('the page of the program has commands, exit codes, and what it is', () => {
    const page = read(join(folder, 'mastodon-r2.1'))
    for (const { name } of commands) expect(page).toContain(name)
    for (const [code, text] of EXITS)
      expect(page.replaceAll(/\s+/g, ' ')).toContain(`${code} ${text}`)
    expect(page).toMatch(/mastodon-r2 1\.2\.3 +November 5, 2026/)
  })
})

test('what begins like a request of the language is text', async () => {
  for (const { text } of pages) {
    const requests = text.match(/^\.(?!\\")\S*/gm) ?? []
    const known = /^\.(Dd|Dt|Os|Sh|Ss|Nm|Nd|Ar|Op|Cm|Pp|Bl|El|It|Ev|Pa|Bd|Ed|Xr|Lk|br)$/
    expect(requests.filter((request) => !known.test(request))).toEqual([])
  }
})
