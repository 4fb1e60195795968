import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settingsChecks } from '../../../src/check/areas/settings.ts'
import { editsOf, mendOf } from '../../../src/check/fix/edits.ts'
import type { Checked } from '../../../src/plan/verdict.ts'
import { editEnvFile } from '../../../src/services/mastodon/env-edit.ts'
import { envReader } from '../../../src/services/mastodon/env-read.ts'
import { ACCOUNT, ENV, file, healthy, lines, type Reader, reading } from './reading.ts'
import { troubles, verdictsOf } from './verdicts.ts'

/** An env file, and what the unit or the compose file gives besides it. */
interface Server {
  readonly text: string
  readonly mode: number
  readonly given: Readonly<Record<string, string>>
  readonly reader: Reader
}

const R2 = `${ACCOUNT}.r2.cloudflarestorage.com`
const [ID, SECRET] = ['c'.repeat(32), 'd'.repeat(64)]

function look({ text, mode, given, reader }: Server): Promise<Checked[]> {
  const world = reading(text, { reader, files: [file(text, { mode })], given })
  return verdictsOf(settingsChecks, world)
}

/** Where a line has to be filled in by the person, as one who knows the values does. */
function filledIn(name: string, value: string): string {
  const isOpen = /^\(.*\)$|^'?…'?$/.test(value)
  return (isOpen ? (healthy[name] ?? 'x') : value).replace('ACCOUNT_ID', ACCOUNT)
}

/** One instruction carried out to the letter, by somebody who understands nothing of it. */
function carriedOut(server: Server, next: string): Server {
  let { text, mode } = server
  const given = { ...server.given }
  const isElsewhere = /under environment:|among the Environment= lines/.test(next)
  const sed = /^ {2}sed -i\.bak (?:'([^']+)'|(\S+)) \S+$/m.exec(next)
  if (sed) text = execFileSync('sed', [sed[1] ?? sed[2] ?? ''], { input: text }).toString()
  const removed = /^Remove the line ([A-Z0-9_]+) /.exec(next)?.[1]
  if (removed !== undefined) {
    if (isElsewhere) delete given[removed]
    else text = text.replace(new RegExp(`^\\s*(export )?${removed}\\s*[=:].*\\n`, 'gm'), '')
  }
  for (const [, name = '', value = ''] of next.matchAll(/^ {2}([A-Z][A-Z0-9_]*)=(.*)$/gm)) {
    const line = `${name}=${filledIn(name, value)}`
    const own = new RegExp(`^\\s*(export )?${name}\\s*[=:].*$`, 'gm')
    if (isElsewhere) given[name] = filledIn(name, value)
    else text = own.test(text) ? text.replace(own, () => line) : `${text}${line}\n`
  }
  if (/^ {2}sudo chmod o= /m.test(next)) mode &= 0o770
  return { ...server, text, mode, given }
}

const isCorrection = (next: string) =>
  /^ {2}[A-Z][A-Z0-9_]*=|^Remove the line |^ {2}sed |^ {2}sudo chmod /m.test(next)

/** Carries out every correction of one look; the lines that are filled in by `init` are left out. */
async function corrected(server: Server) {
  const before = await look(server)
  const proposed = before.flatMap(({ id, verdict }) => {
    const next = 'next' in verdict ? String(verdict.next) : ''
    return isCorrection(next) ? [{ id, next }] : []
  })
  const after = proposed.reduce((at, { next }) => carriedOut(at, next), server)
  return { before, proposed, server: after, after: await look(after) }
}

/** Each instruction alone, then all of them: the trouble has gone, and no other one has come. */
async function expectRight(server: Server): Promise<void> {
  const { before, proposed, after } = await corrected(server)
  const known = new Set(troubles(before))
  const news = troubles(after).filter((trouble) => !known.has(trouble))
  const stays = troubles(after).filter((trouble) =>
    proposed.some(({ id }) => trouble.startsWith(`${id} `)),
  )
  expect({ server, proposed, news, stays }).toMatchObject({ news: [], stays: [] })
  for (const { id, next } of proposed) {
    const alone = await look(carriedOut(server, next))
    const fresh = troubles(alone).filter((trouble) => !known.has(trouble))
    expect({ id, next, fresh }).toMatchObject({ fresh: [] })
  }
}

/** Wrong values of each setting; undefined: the line is missing. */
const wrong: Readonly<Record<string, readonly (string | undefined)[]>> = {
  S3_ENABLED: ['TRUE', '1', 'yes', '', undefined],
  S3_BUCKET: [
    'Social-Media',
    's3://social-media',
    '/social-media/',
    'files.social.test',
    undefined,
  ],
  S3_REGION: ['eu-1', 'weur'],
  S3_ENDPOINT: [
    `http://${R2}`,
    `http://${R2}/social-media`,
    `https://${R2}/social-media`,
    `https://social-media.${R2}`,
    `http://social-media.${ACCOUNT}.eu.r2.cloudflarestorage.com/social-media`,
    ACCOUNT,
    R2,
    `HTTPS://${R2}/x`,
    `https:/${R2}`,
    'https://pub-0123.r2.dev',
    undefined,
  ],
  S3_PROTOCOL: ['http', 'https://', ''],
  S3_PERMISSION: [undefined, 'private', 'public-read', 'none'],
  S3_ALIAS_HOST: [
    'https://files.social.test',
    'https://files.social.test/',
    'files.social.test/social-media',
    'FILES.social.test',
    `${R2}/social-media`,
    `https://${R2}`,
    'https://social.test/system',
    'social.test',
    'files.example.com',
    'https://files.example.com/',
    'https://pub-0123.r2.dev',
    'not a host',
    'localhost',
    '//files.social.test.',
    undefined,
  ],
  S3_CLOUDFRONT_HOST: ['files.social.test', 'https://files.social.test'],
  AWS_ACCESS_KEY_ID: [
    SECRET,
    `${ID.slice(1)}`,
    ID.toUpperCase(),
    'AKIAIOSFODNN7EXAMPLE',
    undefined,
  ],
  AWS_SECRET_ACCESS_KEY: [ID, `${SECRET}0`, 'your-secret', undefined],
  AWS_REQUEST_CHECKSUM_CALCULATION: ['never', ''],
  AWS_RESPONSE_CHECKSUM_VALIDATION: ['never', ''],
  S3_MULTIPART_THRESHOLD: ['5', '0'],
  S3_KEY_PREFIX: ['media'],
  S3_SIGNATURE_VERSION: ['s3', 'v2'],
  S3_STORAGE_CLASS: ['GLACIER', ''],
  S3_OVERRIDE_PATH_STYLE: ['true'],
  S3_DISABLE_CHECKSUM_MODE: ['true'],
  CDN_HOST: ['https://files.social.test', 'https://pub-0123.r2.dev'],
  EXTRA_MEDIA_HOSTS: [
    'a.social.test;http://b.social.test/x',
    'https://a.social.test|b',
    'https://a.social.test;',
    ';',
    'http://',
    'https://a.social.test https://a b',
    "'self' https://a.social.test",
  ],
}

const server = (text: string, more: Partial<Server> = {}): Server => ({
  text,
  mode: 0o640,
  given: {},
  reader: 'dotenv',
  ...more,
})

const single = Object.entries(wrong).flatMap(([name, values]) =>
  values.map((value): [string, string | undefined] => [name, value]),
)

describe('a correction of check puts right what it is about, and breaks nothing', () => {
  test.each(single)('%s=%s', async (name, value) => {
    await expectRight(server(lines({ [name]: value })))
  })

  test.each(single.filter(([name, value]) => value !== undefined && !(name in healthy)))(
    'given by the unit, or under environment: %s=%s',
    async (name, value = '') => {
      for (const reader of ['systemd', 'compose'] as const) {
        await expectRight(server(lines(), { reader, given: { [name]: value } }))
      }
    },
  )

  test.each<[string, string, Partial<Server>]>([
    ['two lines, one value', `S3_BUCKET=social-media\n${lines()}`, {}],
    ['two lines, two values', `S3_BUCKET=old\n${lines()}`, {}],
    ['three lines', `S3_REGION=a\nS3_REGION=b\n${lines()}`, {}],
    ['two settings twice', `S3_REGION=a\nS3_BUCKET=old\n${lines()}`, {}],
    ['two secrets', `AWS_SECRET_ACCESS_KEY=${'e'.repeat(64)}\n${lines()}`, {}],
    ['quotes, read by systemd alone', lines({ S3_BUCKET: "'social-media'" }), { reader: 'raw' }],
    ['quotes', lines({ S3_BUCKET: '"social-media"' }), {}],
    ['export', lines().replace('S3_BUCKET', 'export S3_BUCKET'), {}],
    ['a comment behind', lines({ S3_REGION: 'auto # R2' }), {}],
    ['a comment behind, kept', lines({ S3_REGION: 'auto # R2' }), { reader: 'raw' }],
    ['quotes around nothing', lines({ S3_PERMISSION: "''" }), { reader: 'raw' }],
    ['a key with a comment', lines({ AWS_ACCESS_KEY_ID: `${ID} # key` }), { reader: 'raw' }],
    ['a dollar', lines({ S3_BUCKET: '$NAME' }), {}],
    ['a command', lines({ S3_BUCKET: '$(cat x)' }), {}],
    ['a dollar in a password', lines({ DB_PASS: 'a$b' }), {}],
    ['the unit wins', lines(), { given: { S3_BUCKET: 'other' } }],
    ['the compose file wins', lines(), { reader: 'compose', given: { S3_REGION: 'eu' } }],
    ['a placeholder', lines({ S3_BUCKET: '<bucket>' }), {}],
    ['a placeholder of a template', lines({ AWS_SECRET_ACCESS_KEY: '{{ secret }}' }), {}],
    ['everybody may read it', lines(), { mode: 0o644 }],
    ['everybody may change it', lines(), { mode: 0o666 }],
  ])('%s', async (_, text, more) => {
    const { before, proposed } = await corrected(server(text, more))
    expect(troubles(before)).not.toEqual([])
    expect(proposed).not.toEqual([])
    await expectRight(server(text, more))
  })

  test('several at once, in any order, under any reader', async () => {
    const faults = fc.uniqueArray(fc.constantFrom(...single), {
      minLength: 2,
      maxLength: 5,
      selector: ([name]) => name,
    })
    const readers = fc.constantFrom<Reader>('dotenv', 'systemd', 'compose', 'raw')
    const property = fc.asyncProperty(faults, readers, async (chosen, reader) => {
      const { before, after } = await corrected(
        server(lines(Object.fromEntries(chosen)), { reader }),
      )
      // A CDN_HOST that is the media host is seen as that once the alias host is right.
      const hidden = chosen.some(([name]) => name === 'CDN_HOST') ? ['cdn-host fault'] : []
      const known = new Set([...troubles(before), ...hidden])
      const news = troubles(after).filter((one) => one.endsWith('fault') && !known.has(one))
      expect({ chosen, reader, news }).toMatchObject({ news: [] })
    })
    await fc.assert(property, { numRuns: 300, seed: 16 })
  })
})

/** What the verdicts carry, written by the editor; `left`: those that carry nothing. */
async function mended(server: Server) {
  const { text, mode, given, reader } = server
  const world = reading(text, { reader, files: [file(text, { mode })], given })
  const before = await verdictsOf(settingsChecks, world)
  const mends = before.flatMap((one) => mendOf(one) ?? [])
  const [edit] = editsOf(mends, world.installation, envReader, new Map())
  const isClosed = mends.some((mend) => mend.is === 'mode')
  const after = {
    ...server,
    text: edit ? editEnvFile(text, edit) : text,
    mode: isClosed ? mode & 0o770 : mode,
  }
  return { before, after, verdicts: await look(after) }
}

describe('what check --fix writes puts right what it is about, and breaks nothing', () => {
  const readers = ['dotenv', 'systemd', 'compose', 'raw'] as const
  const all = readers.flatMap((reader) =>
    single.map(([name, value]): [string, string | undefined, Reader] => [name, value, reader]),
  )

  test.each(all)('%s=%s, read by %s', async (name, value, reader) => {
    const at = server(lines({ [name]: value }), { reader })
    const { before, after, verdicts } = await mended(at)
    const known = new Set(troubles(before))
    const promised = troubles(before.filter((one) => mendOf(one) !== undefined))
    expect({ text: after.text, news: troubles(verdicts).filter((one) => !known.has(one)) }).toEqual(
      {
        text: after.text,
        news: [],
      },
    )
    expect(troubles(verdicts).filter((one) => promised.includes(one))).toEqual([])
    const second = await mended(after)
    expect(second.after).toEqual(after)
  })

  test.each<[string, string, RegExp]>([
    [
      'swapped keys',
      lines({ AWS_ACCESS_KEY_ID: SECRET, AWS_SECRET_ACCESS_KEY: ID }),
      /^AWS_ACCESS_KEY_ID=c{32}$/m,
    ],
    ['two lines', `S3_BUCKET=old\n${lines()}`, /^# S3_BUCKET=old$/m],
    [
      'a value that is wrong and oddly written',
      lines({ S3_PROTOCOL: '"http" # old' }),
      /^S3_PROTOCOL=https$/m,
    ],
    ['a capital letter', lines({ S3_BUCKET: 'Social-Media' }), /^S3_BUCKET=social-media$/m],
    [
      'another name of the host',
      lines({ S3_ALIAS_HOST: undefined, S3_CLOUDFRONT_HOST: 'files.social.test' }),
      /^S3_ALIAS_HOST=files\.social\.test$/m,
    ],
  ])('%s', async (_, text, expected) => {
    const { after } = await mended(server(text))
    expect(after.text).toMatch(expected)
  })

  test.each([
    ['storage that is off', lines({ S3_ENABLED: 'TRUE' })],
    ['media below a prefix', lines({ S3_KEY_PREFIX: 'media' })],
    ['a host with a path', lines({ S3_ALIAS_HOST: 'files.social.test/social-media' })],
    ['a host that nobody has seen', lines({ S3_ALIAS_HOST: 'files.example.com' })],
    ['no key', lines({ AWS_ACCESS_KEY_ID: undefined })],
    ['hosts of which some are none', lines({ EXTRA_MEDIA_HOSTS: "'self' https://a.social.test" })],
    ['a dollar', lines({ S3_BUCKET: '$NAME' })],
  ])('is never a guess: %s', async (_, text) => {
    const { before, after } = await mended(server(text))
    expect(troubles(before)).not.toEqual([])
    expect(after.text).toBe(text)
  })

  test('what a unit or the compose file sets is left to its owner', async () => {
    for (const reader of ['systemd', 'compose'] as const) {
      const { after } = await mended(
        server(lines({ S3_REGION: undefined }), { reader, given: { S3_REGION: 'eu' } }),
      )
      expect(after.text).toBe(lines({ S3_REGION: undefined }))
    }
  })
})

test('the file named is the one that is meant', async () => {
  const { proposed } = await corrected(server(lines({ S3_REGION: 'eu-1' })))
  expect(proposed.map(({ next }) => next)).toEqual([expect.stringContaining(ENV)])
})

test('a line above that goes first costs a second look, and never the line that counts', async () => {
  const text = `CDN_HOST=files.social.test\nS3_REGION=eu\nS3_REGION=auto\n${lines({ S3_REGION: undefined })}`
  const first = await corrected(server(text))
  expect(first.server.text).toContain('S3_REGION=auto\n')
  const second = await corrected(first.server)
  expect(second.server.text).toContain('S3_REGION=auto\n')
  expect(troubles(second.after)).toEqual([])
})
