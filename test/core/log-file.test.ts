import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newLog } from '../../src/core/log-file.ts'

const root = mkdtempSync(join(tmpdir(), 'mastodon-r2-logs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const who = (second: number) => ({
  command: 'rotate',
  pid: 7,
  now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
})
const NAME = '20260101T000000000Z-rotate-7.log'

test('the newest fifty logs are kept, and what is no log of ours stays', async () => {
  const state = join(root, 'many')
  const folder = join(state, 'mastodon-r2/logs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'notes.log'), 'mine')
  for (let second = 0; second < 53; second++) await (await newLog(state, who(second))).close()
  const [first, ...rest] = readdirSync(folder).sort()
  expect([first, rest.length, rest.at(-1)]).toEqual([
    '20260101T000003000Z-rotate-7.log',
    50,
    'notes.log',
  ])
})

test('what lies in the way of a log is left alone', async () => {
  const state = join(root, 'taken')
  const folder = join(state, 'mastodon-r2/logs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(root, 'theirs'), 'theirs')
  symlinkSync(join(root, 'theirs'), join(folder, NAME))
  await expect(newLog(state, who(0))).rejects.toMatchObject({ code: 'EEXIST' })
  expect(readFileSync(join(root, 'theirs'), 'utf8')).toBe('theirs')
})

test('each line is in the file at once', async () => {
  const log = await newLog(join(root, 'lines'), who(0))
  log.write('one\n')
  expect(readFileSync(log.path, 'utf8')).toBe('one\n')
  log.write('two\n')
  expect(readFileSync(log.path, 'utf8')).toBe('one\ntwo\n')
  await log.close()
})
