import { expect, test } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import { renderText } from '../../src/core/to-type.ts'
import { readLines } from '../../src/setup/provider-lines.ts'

const SECRET = 'wJalrXUtnFEMI'

test('is read as Mastodon reads an env file', () => {
  const text = `\uFEFF# Wasabi\r\n\r\nexport S3_BUCKET=next # the new one\r\n  S3_REGION: eu-1\r\nS3_PERMISSION=''\r\nAWS_SECRET_ACCESS_KEY="a b"\r\n#S3_ENDPOINT=x`
  expect([...readLines(text, 'f')]).toEqual([
    ['S3_BUCKET', 'next'],
    ['S3_REGION', 'eu-1'],
    ['S3_PERMISSION', ''],
    ['AWS_SECRET_ACCESS_KEY', 'a b'],
  ])
})

test.each<[what: string, text: string, told: string]>([
  ['a secret that goes on below', `AWS_SECRET_ACCESS_KEY=abc\n${SECRET}`, 'line 2'],
  ['with an end of its own', `AWS_SECRET_ACCESS_KEY=abc\n${SECRET}==`, 'line 2'],
  ['with other signs', `AWS_SECRET_ACCESS_KEY=abc\r\n${SECRET}/K7MDENG+bPx\r\n`, 'line 2'],
  ['as a sentence', `# mine\n\nsecret ${SECRET}\nS3_BUCKET=next`, 'line 3'],
  ['behind a quote alone', `AWS_SECRET_ACCESS_KEY="abc\nS3_BUCKET=next\n${SECRET}"x`, 'line '],
  ['a variable', `AWS_SECRET_ACCESS_KEY=${SECRET}$KEY`, 'AWS_SECRET_ACCESS_KEY'],
  ['a command', `AWS_SECRET_ACCESS_KEY=$(cat ${SECRET})`, 'AWS_SECRET_ACCESS_KEY'],
  ['another setting', `S3_BUCKET=next\nSECRET_KEY_BASE=${SECRET}`, 'line 2'],
  ['a slip of the pen', `S3_BUKET=${SECRET}`, 'S3_BUKET'],
])('refused, and the secret is not told: %s', (_, text, told) => {
  let problem: Problem | undefined
  try {
    readLines(text, '/root/next.env')
  } catch (error) {
    problem = error as Problem
  }
  expect(problem).toMatchObject({ code: 'new-provider-lines', exit: 2 })
  expect(problem?.what).toContain(told)
  const said = `${problem?.what} ${problem?.why} ${renderText(problem?.next ?? '')}`
  expect(said).not.toContain(SECRET)
})
