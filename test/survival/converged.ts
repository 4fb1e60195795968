import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { fileText, readStatements } from '../../src/services/mastodon/env-text.ts'

/** What `init` was to reach. */
export interface Goal {
  readonly bucket: string
  readonly host: string
  /** The env file as it was at first. */
  readonly before: string
}

/**
 * The one state that every broken run ends in after a clean one: one bucket, one domain, one working
 * key, which is the one in the env file, and nothing else in that file touched.
 */
export function expectConverged({ world }: Sandbox, text: string, goal: Goal): void {
  const buckets = world.buckets.filter(({ name }) => name === goal.bucket)
  expect(buckets.map(({ domains }) => domains.map(({ host }) => host))).toEqual([[goal.host]])
  expect(world.dnsRecords.filter(({ name }) => name === goal.host)).toHaveLength(1)
  expect(buckets[0]?.cors).toHaveLength(1)
  const keys = world.tokens.filter(({ name }) => name.includes(` ${goal.bucket} `))
  expect(keys).toHaveLength(1)
  const [key] = keys
  expect(key).toMatchObject({ status: 'active', name: expect.stringMatching(/^mastodon-r2 /) })
  const settings = settingsOf(text)
  expect(settings).toMatchObject({
    S3_ENABLED: 'true',
    S3_BUCKET: goal.bucket,
    S3_ALIAS_HOST: goal.host,
    S3_PERMISSION: '',
    AWS_ACCESS_KEY_ID: key?.id,
    AWS_SECRET_ACCESS_KEY: secretOf(key?.value ?? ''),
  })
  expectOnlyOurs(goal.before, text)
}

/** Nothing but the storage settings differs; `text` may be the old one. */
export function expectOnlyOurs(before: string, text: string): void {
  const others = (of: string) =>
    Object.entries(settingsOf(of)).filter(([name]) => !/^(S3|AWS)_/.test(name))
  expect(others(text)).toEqual(others(before))
  const lines = text.split('\n')
  const kept = before.split('\n').filter((line) => line !== '' && !/^#? ?(S3|AWS)_/.test(line))
  expect(lines.filter((line) => kept.includes(line))).toEqual(kept)
  expect(text.endsWith('\n')).toBe(true)
}

/** No secret of the world in what a run said. */
export function expectNoSecret({ world }: Sandbox, said: string): void {
  for (const { value } of world.tokens) {
    expect(said.includes(value) || said.includes(secretOf(value))).toBe(false)
  }
}

/** What Cloudflare makes of an API token as a secret of S3. */
export function secretOf(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

function settingsOf(text: string): Record<string, string> {
  const statements = readStatements(fileText.decode(Buffer.from(text)))
  const active = statements.filter((statement) => statement.active)
  return Object.fromEntries(active.map(({ key, value }) => [key, value]))
}
