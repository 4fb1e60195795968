import { join } from 'node:path'
import { expect, it } from 'vitest'
import { envReader, readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { writeEnvFile } from '../../../src/services/mastodon/env-write.ts'
import { scratch, write } from './scratch.ts'

it('finds the backups that were written, the newest first', async () => {
  const folder = write(scratch(), {
    '.env.production': 'A=1\n',
    '.env.production.bak': '',
    '.env.mastodon-r2-20200101T000000Z.bak': '',
  })
  const path = join(folder, '.env.production')
  const made: { path: string | undefined; at: Date }[] = []
  for (const day of [1, 2]) {
    const now = new Date(Date.UTC(2026, 0, day))
    const { backup } = await writeEnvFile(await readEnvFile(path), `A=${day + 1}\n`, { now })
    made.unshift({ path: backup, at: now })
  }
  expect(await envReader.backups(await readEnvFile(path))).toEqual(made)
})

it('finds none in a folder that is gone', async () => {
  const file = { path: '/nowhere/.env', realPath: '/nowhere/.env', exists: false }
  const whole = { ...file, text: '', mode: undefined, writable: false }
  expect(await envReader.backups(whole)).toEqual([])
})
