import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settingsChecks } from '../../../src/check/areas/settings.ts'
import { ENV, file, healthy, lines, type Reader, reading, SECRET } from './reading.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

const look = (...at: Parameters<typeof reading>) => verdictsOf(settingsChecks, reading(...at))
const plain = 'env-plain-lines'

describe('how a line is written', () => {
  it.each<[line: string, reader: Reader, severity: string | undefined, word: string]>([
    ['S3_BUCKET=social-media # ours', 'dotenv', 'note', 'comment behind'],
    ['S3_BUCKET=social-media # ours', 'systemd', 'fault', 'S3_BUCKET=social-media'],
    ['S3_BUCKET=social-media # ours', 'compose', 'note', 'comment behind'],
    ['S3_BUCKET=social-media # ours', 'raw', 'fault', 'Docker'],
    ['S3_BUCKET=social-media#ours', 'compose', 'fault', 'S3_BUCKET=social-media'],
    ["S3_BUCKET='social-media'", 'dotenv', 'note', 'quotes'],
    ["S3_BUCKET='social-media'", 'systemd', 'note', 'quotes'],
    ["S3_BUCKET='social-media'", 'raw', 'fault', 'quotes'],
    ["S3_PERMISSION=''", 'compose', 'note', 'S3_PERMISSION='],
    ["S3_PERMISSION=''", 'raw', 'fault', 'S3_PERMISSION='],
    ['export S3_BUCKET=social-media', 'dotenv', 'note', 'export'],
    ['S3_BUCKET = social-media', 'systemd', 'note', 'blanks'],
    ["SMTP_FROM_ADDRESS='Mastodon <n@social.test>'", 'dotenv', undefined, ''],
  ])('%s, read by %s: %s', async (line, reader, severity, word) => {
    const name = /[A-Z]\w+/.exec(line)?.[0] ?? ''
    const checked = await look(`${lines({ [name]: undefined })}${line}\n`, { reader })
    const own = troubles(checked).filter((one) => one.startsWith(plain))
    expect(own).toEqual(severity === undefined ? [] : [`${plain} ${severity}`])
    expect(wordsOf(checked, plain)).toContain(word)
  })

  it.each([
    ['S3_BUCKET=b-1', '# ours \\\n', 'S3_BUCKET'],
    ['DB_PASS=x', '  ; ours\\\r\n', 'DB_PASS'],
  ])(
    '%s below a comment that takes it along is told where systemd reads it',
    async (line, above, name) => {
      const text = `${lines({ [name]: undefined })}${above}${line}\n`
      const unit = { name: 'web', role: 'web', envFiles: [ENV], settings: new Map() } as never
      const checked = await look(text, { installation: { services: [unit] } })
      expect(troubles(checked)).toContain(`${plain} warning`)
      expect(wordsOf(checked, plain)).toContain(`${name} (${ENV}:${text.split('\n').length - 1})`)
      expect(troubles(await look(text))).not.toContain(`${plain} warning`)
    },
  )

  it.each<[string, Reader, string[], RegExp]>([
    ['# caf\udce9\n', 'dotenv', ['env-utf8 fault'], /does not start again/],
    ['SITE=caf\udce9\n', 'dotenv', ['env-utf8 fault'], /sed -n 1l/],
    ['SITE=caf\udce9\n', 'compose', ['env-utf8 note'], /another sign/],
    ['# caf\udce9\n', 'compose', [], /./],
    ['# café\n', 'dotenv', [], /./],
  ])('%j, read by %s, is no UTF-8', async (line, reader, found, word) => {
    const checked = await look(`${line}${lines({})}`, { reader })
    expect(troubles(checked)).toEqual(found)
    expect(wordsOf(checked, 'env-utf8')).toMatch(word)
  })

  it('two quote characters as permission are a fault of their own', async () => {
    const text = lines({ S3_PERMISSION: "''" })
    expect(troubles(await look(text, { reader: 'raw' }))).toContain('s3-permission fault')
    expect(troubles(await look(text))).toEqual([`${plain} note`])
  })

  it('what a comment did is told in the words of the setting, too', async () => {
    const text = lines({ S3_BUCKET: 'b-1 # ours', AWS_SECRET_ACCESS_KEY: `${SECRET} # key` })
    const checked = await look(text, { reader: 'systemd' })
    expect(troubles(checked)).toEqual(['s3-bucket fault', 'access-key fault', `${plain} fault`])
    expect(wordsOf(checked, 's3-bucket')).toMatch(/S3_BUCKET=b-1$/m)
    expect(wordsOf(checked, 'access-key')).toContain('AWS_SECRET_ACCESS_KEY=(the key alone)')
  })

  it('where nobody knows the reader, it is a warning', async () => {
    const checked = await look(lines({ S3_BUCKET: '"b-1"' }), { installation: { kind: 'none' } })
    expect(troubles(checked)).toEqual([`${plain} warning`])
  })

  it('a key is never shown', async () => {
    const text = lines({ AWS_SECRET_ACCESS_KEY: `"${SECRET}" # old: ${SECRET}` })
    const checked = await look(text, { reader: 'raw' })
    expect(troubles(checked)).toContain(`${plain} fault`)
    expect(JSON.stringify(checked)).not.toContain(SECRET)
  })
})

describe('secrets', () => {
  it.each([
    'S3_BUCKET',
    'S3_ENDPOINT',
    'S3_REGION',
    'S3_ALIAS_HOST',
    'S3_PERMISSION',
    'S3_ENABLED',
  ])('in the wrong line are masked: %s', async (name) => {
    const checked = await look(lines({ [name]: SECRET }))
    expect(troubles(checked).length).toBeGreaterThan(0)
    expect(JSON.stringify(checked)).not.toContain(SECRET)
  })

  it('that have the wrong form are not shown', async () => {
    const text = lines({ AWS_ACCESS_KEY_ID: 'Hunter-2-Hunter', AWS_SECRET_ACCESS_KEY: 'pa$word' })
    expect(JSON.stringify(await look(text))).not.toMatch(/Hunter|word"|pa\$/)
  })

  it('control characters do not reach the terminal', async () => {
    const checked = await look(lines({ S3_BUCKET: 'a\u001b[2Jb' }))
    expect(wordsOf(checked, 's3-bucket')).toContain('a?[2Jb')
  })
})

describe('dollar signs', () => {
  it.each<[line: string, expected: string[]]>([
    ['SMTP_PASSWORD=pa$(reboot)', ['env-dollars fault']],
    ['SMTP_PASSWORD="pa$(reboot)"', ['env-dollars fault']],
    ["SMTP_PASSWORD='pa$(reboot)'", []],
    ['SMTP_PASSWORD=pa$word', ['env-dollars warning']],
    ['SMTP_LOGIN=me@${LOCAL_DOMAIN}', []],
    ['S3_KEY_PREFIX=$NOTHING', ['env-dollars fault']],
    ['# SMTP_PASSWORD=pa$(reboot)', []],
  ])('%s', async (line, expected) => {
    const checked = await look(`${lines()}${line}\n`)
    expect(troubles(checked)).toEqual(expected)
    expect(wordsOf(checked, 'env-dollars')).not.toMatch(/reboot|word/)
    if (expected.length > 0) expect(wordsOf(checked, 'env-dollars')).toContain(`${ENV}:12`)
  })
})

describe('more than one place', () => {
  it('the same setting twice', async () => {
    const checked = await look(`${lines()}S3_BUCKET=other\nS3_REGION=auto\n`)
    expect(troubles(checked)).toEqual(['env-duplicates warning'])
    expect(wordsOf(checked, 'env-duplicates')).toContain(
      `sed -i.bak '4{/S3_BUCKET.*social-media/d;}; 5{/S3_REGION.*auto/d;};' ${ENV}`,
    )
  })

  it('another file wins', async () => {
    const local = file('S3_BUCKET=other\nS3_REGION=auto\n', { path: `${ENV}.local` })
    const checked = await look('', { files: [local, file(lines())] })
    expect(troubles(checked)).toEqual(['env-shadowed fault'])
    expect(wordsOf(checked, 'env-shadowed')).toMatch(/\.local sets S3_BUCKET.*Remove the line/s)
  })

  it('the unit wins', async () => {
    const checked = await look(lines(), { given: { S3_BUCKET: 'other' } })
    expect(troubles(checked)).toEqual(['env-shadowed fault'])
    expect(wordsOf(checked, 'env-shadowed')).toContain('systemctl edit --full mastodon-web.service')
  })

  it('the compose file wins', async () => {
    const checked = await look(lines(), { reader: 'compose', given: { S3_ENABLED: 'false' } })
    expect(troubles(checked)).toEqual(['s3-enabled note', 'env-shadowed fault'])
    expect(wordsOf(checked, 'env-shadowed')).toContain('under environment: in /opt/mastodon')
  })

  it('one file by two names is one file', async () => {
    const link = file(lines(), { path: '/etc/mastodon.env', realPath: ENV })
    const checked = await look('', { files: [link, file(lines())], reader: 'systemd' })
    expect(troubles(checked)).toEqual([])
  })
})

describe('the mode of the file', () => {
  it.each<[mode: number, expected: string[], word: string]>([
    [0o640, [], ''],
    [0o600, [], ''],
    [0o644, ['env-file-mode warning'], 'sudo chmod o= '],
    [0o666, ['env-file-mode fault'], 'change'],
  ])('%o', async (mode, expected, word) => {
    const checked = await look('', { files: [file(lines(), { mode })] })
    expect(troubles(checked)).toEqual(expected)
    expect(wordsOf(checked, 'env-file-mode')).toContain(word)
  })

  it('does not matter where nothing is secret', async () => {
    const open = file('S3_RETRY_LIMIT=1\n', { path: '/home/mastodon/live/.env', mode: 0o644 })
    expect(troubles(await look('', { files: [file(lines()), open] }))).toEqual([])
  })
})

describe('whatever stands in the file', () => {
  const readers = ['dotenv', 'systemd', 'compose', 'raw'] as const
  const names = Object.keys(healthy)
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('true', "''", '"', "'", '$(x)', '${', 'https://', '//', 'https://[', '\\'),
  )

  it('every check has an answer', async () => {
    const line = fc.tuple(fc.constantFrom(...names), value)
    const input = [fc.array(line, { maxLength: 6 }), fc.constantFrom(...readers)] as const
    await fc.assert(
      fc.asyncProperty(...input, async (changed, reader) => {
        const checked = await look(`${lines()}${changed.map((one) => one.join('=')).join('\n')}`, {
          reader,
        })
        expect(new Set(checked.map(({ id }) => id)).size).toBe(settingsChecks.length)
        for (const { verdict } of checked) expect(verdict.saw).not.toMatch(/\p{Cc}/u)
      }),
      { numRuns: 150 },
    )
  })
})
