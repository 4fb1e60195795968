import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratch } from '../services/mastodon/scratch.ts'
import { runHere } from './in-process.ts'

const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCY'
const next = {
  S3_BUCKET: 'next',
  S3_ENDPOINT: 'https://s3.example.net',
  S3_ALIAS_HOST: 'next.example.com',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: SECRET,
}
const r2 = {
  S3_BUCKET: 'media',
  S3_ENDPOINT: `https://${'a'.repeat(32)}.r2.cloudflarestorage.com`,
  S3_PERMISSION: '',
  S3_ALIAS_HOST: 'files.example.com',
  AWS_ACCESS_KEY_ID: 'b'.repeat(32),
  AWS_SECRET_ACCESS_KEY: 'c'.repeat(64),
}

type Lines = Readonly<Record<string, string>>

const textOf = (lines: Lines) =>
  Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** `leave` on to another provider, asked by a program; nothing of it answers. */
async function leave(stage: string, provider: Lines | string, mastodon: Lines) {
  const folder = scratch()
  const env = join(folder, '.env.production')
  const own = { LOCAL_DOMAIN: 'example.com', S3_ENABLED: 'true', ...mastodon }
  writeFileSync(env, textOf(own))
  const text = typeof provider === 'string' ? provider : textOf(provider)
  writeFileSync(join(folder, 'next.env'), text)
  const words = ['leave', '--to', 's3', '--to-env', 'next.env', '--stage', stage]
  const { code, stdout, stderr } = await runHere(
    [...words, '--mastodon-env', env, '--json', '--log-file', join(folder, 'log')],
    { cwd: folder, env: { HOME: folder, XDG_STATE_HOME: folder } },
  )
  const said = [stdout, stderr, readFileSync(join(folder, 'log'), 'utf8')]
  expect(readFileSync(env, 'utf8')).toBe(textOf(own))
  return { code, problem: JSON.parse(stdout).problem as { code: string }, said: said.join('\n') }
}

test.each<[string, Lines | string, Lines, string]>([
  ['Mastodon is there, and no backup tells where it was', next, next, 'left-bucket-unknown'],
  ['Mastodon is at a third provider', next, { ...next, S3_BUCKET: 'third' }, 'not-on-r2'],
  [
    'a secret goes on in the line below',
    `${textOf({ ...next, AWS_SECRET_ACCESS_KEY: 'abc' })}${SECRET}`,
    r2,
    'new-provider-lines',
  ],
  [
    'the key stands in the address',
    { ...next, S3_ENDPOINT: `https://id:${SECRET}@s3.example.net` },
    r2,
    'new-provider-lines',
  ],
  [
    'an env file could not hold the secret',
    { ...next, AWS_SECRET_ACCESS_KEY: `${SECRET}!` },
    r2,
    'new-provider-lines',
  ],
])('refused in every stage: %s', async (_, provider, mastodon, code) => {
  for (const stage of ['survey', 'copy', 'compare', 'cutover', 'redirects']) {
    const ended = await leave(stage, provider, mastodon)
    expect([stage, ended.code, ended.problem.code]).toEqual([stage, 2, code])
    expect(ended.said).not.toContain(SECRET)
  }
})

test('a value that has to be written again and can not is seen before anything is copied', async () => {
  for (const stage of ['survey', 'copy']) {
    const ended = await leave(stage, next, { EXTRA_MEDIA_HOSTS: "'https://a.example/!'", ...r2 })
    expect([stage, ended.code, ended.problem.code]).toEqual([stage, 2, 'env-value-unsafe'])
  }
})
