import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compareSides } from '../../../src/migrate/compare/sides.ts'
import type { Migration } from '../../../src/migrate/migration.ts'
import { switchTime } from '../../../src/migrate/removed-since.ts'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { copyWorld, objectOf } from '../../fakes/fake-copy.ts'
import { HOUR, NOON, run } from './copy-runs.ts'

const SWITCH = NOON - 24 * HOUR
const keyOf = (kind: string, nth: number) => `${kind}/files/${String(nth).padStart(3, '0')}/x.png`

/**
 * A server that was switched a day ago and lost its notes. `here`: how many files of a kind the disk
 * has; `gone`: those of them that the bucket lacks.
 */
function switched(
  here: Readonly<Record<string, number>>,
  gone: readonly string[],
  { at = new Date(SWITCH) as Date | undefined, withRemoved = false } = {},
) {
  const world = copyWorld()
  for (const [kind, count] of Object.entries(here)) {
    for (let nth = 0; nth < count; nth += 1) {
      const key = keyOf(kind, nth)
      world.source.put(key, 'text', SWITCH - HOUR * (count - nth))
      if (!gone.includes(key)) world.s3.objects.set(key, objectOf('text'))
    }
  }
  const migration: Migration = {
    ...world.migration,
    wishes: { ...world.migration.wishes, withRemoved },
    switched: { at: async () => at },
  }
  return { ...world, migration }
}

const avatars = { accounts: 50 }
const first = keyOf('accounts', 0)

describe('a copy after the switch, without its notes', () => {
  test.each<[string, Parameters<typeof switched>, readonly string[]]>([
    ['what Mastodon has removed stays removed', [avatars, [first, keyOf('accounts', 30)]], []],
    ['unless it is asked for', [avatars, [first], { withRemoved: true }], [first]],
    ['no backup tells of the switch', [avatars, [first], { at: undefined }], []],
    [
      'the one file of a kind was replaced',
      [{ accounts: 50, site_uploads: 1 }, [keyOf('site_uploads', 0)]],
      [],
    ],
    [
      'a small kind between others',
      [{ accounts: 50, custom_emojis: 2, media_attachments: 50 }, [keyOf('custom_emojis', 1)]],
      [],
    ],
    [
      'a copy that was cut off in a kind is gone on with',
      [avatars, Array.from({ length: 20 }, (_, at) => keyOf('accounts', at + 30))],
      Array.from({ length: 20 }, (_, at) => keyOf('accounts', at + 30)),
    ],
    [
      'a large kind that was never copied is copied',
      [
        { accounts: 50, media_attachments: 12 },
        Array.from({ length: 12 }, (_, at) => keyOf('media_attachments', at)),
      ],
      Array.from({ length: 12 }, (_, at) => keyOf('media_attachments', at)),
    ],
    [
      'nothing was copied',
      [{ accounts: 3 }, [0, 1, 2].map((at) => keyOf('accounts', at))],
      [0, 1, 2].map((at) => keyOf('accounts', at)),
    ],
  ])('%s', async (_, given, asked) => {
    const world = switched(...given)
    await run(world)
    expect([...world.rclone.asked].sort()).toEqual([...asked].sort())
    const left = given[1].length - asked.length
    const words =
      left === 0
        ? []
        : [expect.stringMatching(new RegExp(`^Not copied: ${left} files? .*--with-removed`))]
    expect(world.said).toEqual(words)
  })

  test('a file that came after the switch, or failed before, is copied', async () => {
    const [late, failed] = ['accounts/files/998/x.png', 'accounts/files/999/x.png']
    const world = switched(avatars, [])
    world.source.put(late, 'text', SWITCH + HOUR)
    world.source.put(failed, 'text', SWITCH - HOUR)
    const { blankCheckpoint } = await import('../../../src/services/checkpoint/port.ts')
    world.checkpoint.held = { ...blankCheckpoint, failed: [{ key: failed, reason: 'x' }] }
    await run(world)
    expect(world.rclone.asked).toEqual([late, failed])
  })

  test('before the switch nothing is left out', async () => {
    const world = switched(avatars, [first])
    await run({ ...world, migration: { ...world.migration, switched: undefined } })
    expect(world.rclone.asked).toEqual([first])
  })

  test('compare does not send back to copy', async () => {
    const world = switched(avatars, [first])
    const found = await compareSides(world.migration, { usualModes: 'open' }, new Date(NOON))
    expect([found.equal, found.deletedSince.objects, found.missing.objects]).toEqual([true, 1, 0])
  })
})

describe('the time of the switch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-test-'))
  afterAll(() => rm(folder, { recursive: true }))
  const on = 'S3_ENABLED=true\nS3_BUCKET=media\n'

  test.each<[string, readonly string[], number | undefined]>([
    ['no backup', [], undefined],
    ['the backup of the switch', ['LOCAL_DOMAIN=x\n'], 1],
    ['later backups hold the new settings', ['LOCAL_DOMAIN=x\n', on, on], 1],
    ['prepared, and then switched', ['A=b\n', 'S3_ENABLED=false\nS3_BUCKET=media\n', on], 2],
    ['another bucket before', ['S3_ENABLED=true\nS3_BUCKET=old\n', on], 1],
    ['all of them are of later', [on, on], undefined],
  ])('%s', async (name, texts, expected) => {
    const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.env`)
    writeFileSync(file, on)
    for (const [at, text] of texts.entries()) {
      writeFileSync(`${file}.mastodon-r2-2026110${at + 1}T100000Z.bak`, text)
    }
    const at = await switchTime({ envFile: await readEnvFile(file) }, 'media')
    expect(at?.getUTCDate()).toBe(expected)
  })
})
