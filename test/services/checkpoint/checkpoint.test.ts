import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  checkpointId,
  lockCheckpoint,
  openCheckpoint,
} from '../../../src/services/checkpoint/checkpoint.ts'
import type { Checkpoint, CheckpointPort } from '../../../src/services/checkpoint/port.ts'
import { problemOf } from '../../fakes/found.ts'

const scratch = mkdtempSync(join(tmpdir(), 'checkpoint-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let nth = 0

function fresh(notice?: (line: string) => void) {
  nth += 1
  const stateHome = join(scratch, String(nth), 'state')
  const again = (told = notice) => openCheckpoint({ stateHome, id: 'media-1', notice: told })
  return { stateHome, checkpoint: again(), again }
}

const filled: Checkpoint = {
  version: 1,
  completeSince: '2026-11-22T10:00:00.000Z',
  begunAt: undefined,
  failed: [{ key: 'a/"b"\n.png', reason: '403 AccessDenied' }],
  vanished: ['gone\u2028.png'],
  selection: '{}',
  surveyed: { at: '2026-11-22T09:00:00.000Z', objects: 3, bytes: 4 },
  announcedAt: undefined,
  copied: { objects: 12, bytes: 345 },
  switchedAt: undefined,
  equalAt: undefined,
}

describe('a checkpoint', () => {
  test('is not there at first, and looking makes nothing', async () => {
    const { checkpoint, stateHome } = fresh()
    expect(await checkpoint.read()).toBeUndefined()
    expect(await checkpoint.recorded(new Set(['a']))).toEqual(new Set())
    expect((await checkpoint.versions(0)).size).toBe(0)
    expect(() => statSync(stateHome)).toThrow('ENOENT')
  })

  test('comes back as it was written, for its owner alone', async () => {
    const { checkpoint, again } = fresh()
    await checkpoint.write(filled)
    expect(await again().read()).toEqual(filled)
    expect(statSync(checkpoint.path).mode & 0o777).toBe(0o700)
    expect(statSync(join(checkpoint.path, 'checkpoint.json')).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['torn', '{"version":1,"sel'],
    ['empty', ''],
    ['something else', '[1,2]'],
    ['of wrong types', JSON.stringify({ ...filled, failed: [1] })],
    ['with a time that is none', JSON.stringify({ ...filled, completeSince: 'soon' })],
  ])('that is %s is told once, put aside and begun anew', async (_, text) => {
    const told: string[] = []
    const { checkpoint } = fresh((line) => told.push(line))
    await checkpoint.write(filled)
    writeFileSync(join(checkpoint.path, 'checkpoint.json'), text)
    expect(await checkpoint.read()).toBeUndefined()
    expect(await checkpoint.read()).toBeUndefined()
    expect(told).toEqual([expect.stringContaining('is damaged')])
    await checkpoint.write(filled)
    expect(await checkpoint.read()).toEqual(filled)
    const aside = join(checkpoint.path, 'checkpoint.json.damaged')
    expect(readFileSync(aside, 'utf8')).toBe(text)
  })

  test('of a newer version is left alone', async () => {
    const { checkpoint } = fresh()
    await checkpoint.write(filled)
    writeFileSync(join(checkpoint.path, 'checkpoint.json'), '{"version":2}')
    await expect(checkpoint.read()).rejects.toMatchObject({ code: 'checkpoint-unreadable' })
  })

  test('that can not be read is put aside by the line that is told, each time', async () => {
    const { checkpoint } = fresh()
    for (let time = 1; time <= 3; time += 1) {
      await checkpoint.write(filled)
      writeFileSync(join(checkpoint.path, 'checkpoint.json'), `{"version":${time + 1}}`)
      const { next } = await problemOf(checkpoint.read())
      execFileSync('sh', ['-c', String(next).split('loses nothing: ')[1] ?? ''])
      expect(await checkpoint.read()).toBeUndefined()
    }
    const aside = readdirSync(checkpoint.path).filter((name) => name.includes('.json.old-'))
    expect(aside).toHaveLength(3)
  })

  test('whose place is a file can not be written: said', async () => {
    const { checkpoint, stateHome } = fresh()
    writeFileSync(join(scratch, `${nth}`), '')
    const problem = {
      code: 'checkpoint-not-writable',
      next: expect.stringMatching(/XDG_STATE_HOME/),
    }
    await expect(checkpoint.write(filled)).rejects.toMatchObject(problem)
    await expect(checkpoint.record(['a'])).rejects.toMatchObject(problem)
    await expect(lockCheckpoint(checkpoint, { pid: 1, command: 'migrate' })).rejects.toMatchObject({
      ...problem,
      code: 'lock-not-writable',
      exit: 2,
    })
    expect(stateHome).toContain(scratch)
  })
})

async function versionsOf(checkpoint: CheckpointPort, since: number, keys: readonly string[]) {
  const versions = await checkpoint.versions(since)
  return keys.map((key) => versions.get(key))
}

describe('the record', () => {
  const odd = ['a "b"', 'c\nd', 'e\u2028f', '\u{1f600}', 'plain.png']

  test('knows what was put there, in whatever runs', async () => {
    const { checkpoint, again } = fresh()
    await checkpoint.record(odd.slice(0, 2))
    await again().record(odd.slice(2).map((key) => ({ key, changedAt: 5.25 })))
    expect(await again().recorded(new Set([...odd, 'not there']))).toEqual(new Set(odd))
    expect(await versionsOf(again(), 5, odd)).toEqual([undefined, undefined, 5.25, 5.25, 5.25])
    expect((await again().versions(5.25)).size).toBe(0)
  })

  test('the last version of a file counts', async () => {
    const { checkpoint } = fresh()
    await checkpoint.record([{ key: 'a', changedAt: 10 }])
    await checkpoint.record([{ key: 'a', changedAt: 20 }])
    expect(await versionsOf(checkpoint, 0, ['a'])).toEqual([20])
  })

  test('a server that was restored just before the first copy has many young files', async () => {
    const { checkpoint, again } = fresh()
    const keys = Array.from({ length: 210_000 }, (_, nth) => `${nth}.png`)
    await checkpoint.record(keys.map((key, nth) => ({ key, changedAt: nth + 1 })))
    const versions = await again().versions(0)
    expect(keys.filter((key, nth) => versions.get(key) !== nth + 1)).toEqual([])
  })

  test('what was found in the bucket is a version, and nothing that was put there', async () => {
    const { checkpoint, again } = fresh()
    await checkpoint.record([
      { key: 'put', changedAt: 10 },
      { key: 'found', changedAt: 20, isFound: true },
    ])
    await checkpoint.record([{ key: 'put', changedAt: 30, isFound: true }])
    expect(await versionsOf(again(), 0, ['put', 'found'])).toEqual([30, 20])
    expect(await again().recorded(new Set(['put', 'found']))).toEqual(new Set(['put']))
    const keys: string[] = []
    for await (const some of again().keys()) keys.push(...some)
    expect(keys).toEqual(['put'])
  })

  test('that can not be read is said', async () => {
    const { checkpoint } = fresh()
    mkdirSync(join(checkpoint.path, 'copied.jsonl'), { recursive: true })
    const problem = { code: 'checkpoint-unreadable', next: 'Put that right and run this again.' }
    await expect(checkpoint.recorded(new Set(['a']))).rejects.toMatchObject(problem)
    await expect(checkpoint.versions(0)).rejects.toMatchObject(problem)
  })

  test('a line that was torn hides no other one', async () => {
    const { checkpoint, again } = fresh()
    await checkpoint.record(['before'])
    appendFileSync(join(checkpoint.path, 'copied.jsonl'), '["to')
    await again().record(['after'])
    expect(await again().recorded(new Set(['before', 'after', 'to']))).toEqual(
      new Set(['before', 'after']),
    )
  })
})

describe('the lock', () => {
  const who = { pid: process.pid, command: 'migrate' }

  test('keeps a second migration of the pair away until it is released', async () => {
    const { checkpoint } = fresh()
    const release = await lockCheckpoint(checkpoint, who)
    await expect(lockCheckpoint(checkpoint, who)).rejects.toMatchObject({
      code: 'migration-running',
      why: expect.stringContaining('"mastodon-r2 migrate"'),
    })
    await release()
    await (await lockCheckpoint(checkpoint, who))()
  })
})

describe('the id', () => {
  const pairs = [
    ['/a', 'https://x.example', 'media'],
    ['/b', 'https://x.example', 'media'],
    ['/a', 'https://y.example', 'media'],
    ['/a', 'https://x.example', 'other'],
  ] as const

  test('tells pairs apart, and is a folder name', () => {
    const ids = pairs.map(([source, endpoint, bucket]) => checkpointId(source, endpoint, bucket))
    expect(new Set(ids).size).toBe(pairs.length)
    expect(ids.every((id) => /^(media|other)-[0-9a-f]{12}$/.test(id))).toBe(true)
    expect(checkpointId('/a', 'https://x.example/', 'media')).toBe(ids[0])
  })
})
