import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'dotenv'
import fc from 'fast-check'
import { afterAll, describe, expect, it, test } from 'vitest'
import { fileText, readStatements } from '../../../src/services/mastodon/env-text.ts'
import { readEnvironmentFile } from '../../../src/services/mastodon/systemd.ts'
import { rubyMissing, runRuby } from '../../ruby/ruby.ts'
import { edited, fixtures } from './env-fixtures.ts'
import { storageValues } from './storage-values.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-readers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, fileText.encode(text))
  return path
}

const nine = (values: Record<string, string | undefined>) =>
  new Map([...storageValues.keys()].map((key) => [key, values[key]]))

/** Lines above the block keep these readers from it, or from the file; nothing is done about that. */
const hopeless = {
  // The quote goes on to the end of the file. Not UTF-8: nothing of the file is handed on.
  systemd: ['unclosed-quote.env', 'latin1.env'],
  // A syntax error, a Windows line end or a mark that bash takes as part of a word.
  bash: ['unclosed-quote.env', 'setup-docker.env', 'yunohost.env', 'ldap.env', 'crlf.env'],
  // Not UTF-8: dotenv raises, so Mastodon doesn't start with it.
  ruby: ['latin1.env'],
}

const readable = (by: keyof typeof hopeless) =>
  fixtures.filter(({ name }) => !hopeless[by].includes(name))

describe('what was written is read alike', () => {
  test.each(fixtures)('by the dotenv of npm: $name', ({ text }) => {
    expect(nine(parse(edited(text)))).toEqual(storageValues)
  })

  test.each(readable('systemd'))("by systemd's rules: $name", ({ text }) => {
    const values = Object.fromEntries(readEnvironmentFile(edited(text)))
    // systemd takes a byte order mark as part of the first name.
    const expected = new Map<string, string | undefined>(storageValues)
    if (text.startsWith('\uFEFFS3_ENABLED')) expected.set('S3_ENABLED', undefined)
    expect(nine(values)).toEqual(expected)
  })

  test.each(readable('bash'))('by bash: $name', ({ name, text }) => {
    const path = write(`bash-${name}`, edited(text).replace(/^\uFEFF/, ''))
    const script = 'set -a; . "$1" >/dev/null 2>&1; env -0'
    const output = execFileSync('bash', ['--norc', '-c', script, 'bash', path], {
      env: { PATH: process.env.PATH },
      cwd: folder,
      encoding: 'utf8',
    })
    const values = output.split('\0').map((entry) => /^([^=]*)=([\s\S]*)$/.exec(entry)?.slice(1))
    expect(nine(Object.fromEntries(values.filter((pair) => pair !== undefined)))).toEqual(
      storageValues,
    )
  })
})

describe.skipIf(rubyMissing)(`Ruby's dotenv ${rubyMissing ?? ''}`, () => {
  const active = (text: string) =>
    Object.fromEntries(
      readStatements(text).flatMap((one) => (one.active ? [[one.key, one.value]] : [])),
    )

  async function asRuby(texts: readonly string[]): Promise<(Record<string, string> | null)[]> {
    const paths = texts.map((text, index) => write(`ruby-${index}`, text))
    return (await runRuby('read_env.rb', paths)) as (Record<string, string> | null)[]
  }

  it('reads the nine values in every edited fixture', async () => {
    const all = await asRuby(readable('ruby').map(({ text }) => edited(text)))
    for (const values of all) expect(nine(values ?? {})).toEqual(storageValues)
    expect(all).toHaveLength(fixtures.length - hopeless.ruby.length)
  })

  it('reads every fixture as readStatements does', async () => {
    const texts = readable('ruby').flatMap(({ name, text }) =>
      name === 'export.env' ? [] : [text],
    )
    expect(await asRuby(texts)).toEqual(texts.map(active))
  })

  it('reads anything else as readStatements does', async () => {
    const piece = fc.constantFrom(
      ...['A', 'B', 'C_D', '=', '= ', ' = ', ': ', ':', ' ', '\t', '\n', '\r\n', '\r', '\\\n', '#'],
      ...[
        ' # ',
        "'",
        '"',
        '\\',
        '$',
        '$A',
        '${B}',
        '$(x)',
        '\\$A',
        '\\n',
        '\\"',
        'x',
        'ä',
        '{',
        '`',
      ],
      ...[
        'A=1\n',
        "B='1\n2'\n",
        'C_D="x y" # z\n',
        '\nA=',
        '\n# B=',
        '\nexport A=',
        '\u00a0',
        '\u2028',
      ],
    )
    const texts = fc.sample(fc.array(piece, { maxLength: 16 }), { numRuns: 400, seed: 7 })
    const written = texts.map((pieces) => pieces.join(''))
    const answers = await asRuby(written)
    const read = written.filter((_, index) => answers[index] !== null)
    expect(read.length).toBeGreaterThan(350)
    expect(read.map((text) => [text, active(text)])).toEqual(
      read.map((text) => [text, answers[written.indexOf(text)]]),
    )
  })
})
