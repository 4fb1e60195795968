import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MigrateRun, PreparedMigration } from '../../src/migrate/migration.ts'
import { holdMigration } from '../../src/migrate/prepare.ts'
import { readEnvFile } from '../../src/services/mastodon/env-read.ts'
import { lockEnvFile } from '../../src/services/mastodon/env-write.ts'
import type { Stage } from '../../src/settings/stages.ts'

let folder: string
let env: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-hold-'))
  env = join(folder, '.env.production')
  await writeFile(env, 'S3_ENABLED=false\n')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function hold(stage: Stage, on: readonly string[] = []) {
  const run = {
    host: { pid: process.pid, argv: ['migrate'] },
    settings: { on: (name: string) => on.includes(name) },
    atEnd: [] as (() => Promise<void>)[],
  }
  const prepared = {
    migration: { checkpoint: { path: join(folder, 'notes') } },
    installation: { envFile: await readEnvFile(env) },
  } as unknown as PreparedMigration
  const once = () => holdMigration(run as unknown as MigrateRun, prepared, stage)
  await once()
  // A stage after another one in the same run meets its own locks.
  await once()
  const locked = { env: existsSync(`${env}.mastodon-r2.lock`), notes: existsSync(notesLock()) }
  return { locked, end: () => Promise.all(run.atEnd.map((end) => end())) }
}

const notesLock = () => join(folder, 'notes/lock')

test.each<[Stage, readonly string[], { env: boolean; notes: boolean }]>([
  ['cutover', [], { env: true, notes: true }],
  ['announce', [], { env: true, notes: true }],
  ['copy', [], { env: false, notes: true }],
  ['survey', [], { env: false, notes: false }],
  ['compare', [], { env: false, notes: false }],
  ['compare', ['removeExtras'], { env: false, notes: true }],
  ['cutover', ['dryRun'], { env: false, notes: false }],
])('%s %j', async (stage, on, wanted) => {
  const { locked, end } = await hold(stage, on)
  expect(locked).toEqual(wanted)
  await end()
  expect([existsSync(`${env}.mastodon-r2.lock`), existsSync(notesLock())]).toEqual([false, false])
})

test('a rotation at work keeps the cut-over away', async () => {
  const release = await lockEnvFile(await readEnvFile(env), { pid: process.pid, command: 'rotate' })
  await expect(hold('cutover')).rejects.toMatchObject({ code: 'locked' })
  await release()
})
