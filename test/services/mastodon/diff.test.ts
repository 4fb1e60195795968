import { describe, expect, it, test } from 'vitest'
import { diffEnvFile } from '../../../src/services/mastodon/env-edit.ts'
import { edited, fixtures } from './env-fixtures.ts'
import { storageValues } from './storage-values.ts'

const secrets = ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']

test.each<[what: string, before: string, after: string, lines: string[]]>([
  ['nothing', 'A=1\n', 'A=1\n', []],
  ['a missing line end', 'A=1', 'A=1\n', []],
  ['a replacement', 'A=1\nB=2\n', 'A=1\nB=3\n', ['- B=2', '+ B=3']],
  [
    'a secret',
    'AWS_SECRET_ACCESS_KEY=old\n',
    'AWS_SECRET_ACCESS_KEY=new\n',
    ['- AWS_SECRET_ACCESS_KEY=****', '+ AWS_SECRET_ACCESS_KEY=****'],
  ],
  ['an empty secret', '', 'AWS_ACCESS_KEY_ID=\n', ['+ AWS_ACCESS_KEY_ID=']],
  [
    'a name that sounds secret',
    'DB_PASS=x\n',
    '# DB_PASS=x\n',
    ['- DB_PASS=****', '+ # DB_PASS=****'],
  ],
  ['a # in a secret', 'OTP_SECRET=a#b\n', '', ['- OTP_SECRET=****']],
  ['a comment', 'A=1 # why\n', '# why\nA=1\n', ['- A=1 # why', '+ # why', '+ A=1']],
  ['a key in a comment', '', '# 0123456789abcdef01\n', ['+ # ****']],
  ['a value over lines', "A='x\ny'\n", 'A=z\n', ['- A=****', '- ****', '+ A=z']],
  ['a line of its own kind', 'secret words\n', '', ['- ****']],
  ['one of two alike', 'A=1\nB=1\nA=1\n', '# A=1\nB=1\nA=1\n', ['- A=1', '+ # A=1']],
])('%s', (_, before, after, lines) => {
  expect(diffEnvFile(before, after, secrets)).toEqual(lines)
})

describe.each(fixtures)('$name', ({ text }) => {
  it('shows what comes in, and no secret', () => {
    const lines = diffEnvFile(text, edited(text), secrets)
    expect(lines).toContain('+ S3_BUCKET=social-example-media')
    const all = lines.join('\n')
    for (const secret of secrets) expect(all).not.toContain(storageValues.get(secret))
    expect(all).not.toMatch(/old\$secret|spacesOldSecret|gcs\+old|wasabiOld|spread-out/)
  })
})
