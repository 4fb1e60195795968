import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { keys, timed } from './copy-world.mjs'
import { byHand, cli, inWorld, migrate, onBucket, row, seconds } from './line-world.mjs'

/**
 * Of 300 bytes each, best in memory: TMPDIR=/dev/shm. All are as young as the first copy, so each is looked
 * up among those that it noted; where they are older this is not done.
 */
const FILES = Number(process.env.MASTODON_R2_BENCH_FILES ?? 100_000)
const NEW = 1_000
const ROUNDS = 3

/** A later copy of a few new files among many, beside `find` and an rclone that is told their names. */
export async function deltaFigures() {
  return inWorld(async (folder, media) => {
    await small(media, keys(0, FILES))
    const rounds = []
    const { told } = await onBucket([0], async (url) => {
      const home = await mkdtemp(join(folder, 'notes-'))
      await migrate(cli, folder, url, timed, home)
      for (let round = 0; round < ROUNDS; round++) {
        const all = keys(FILES + round * NEW, FILES + (round + 1) * NEW)
        await small(media, all)
        const find = await timed('find', [media, '-type', 'f', '-newermt', '2100-01-01'])
        const hand = await byHand(folder, url, all, 64)
        rounds.push({ find, hand, ours: await migrate(cli, folder, url, timed, home) })
      }
    })
    if (told.objects !== FILES + ROUNDS * NEW) throw new Error(`${told.objects} were copied.`)
    const [find, hand, ours] = ['find', 'hand', 'ours'].map((name) =>
      Math.min(...rounds.map((round) => round[name])),
    )
    const detail = `${seconds(ours)}; find ${seconds(find)}, rclone ${seconds(hand)}`
    const name = `a copy of ${NEW} new files among ${FILES}`
    return [row(name, ours / (find + hand), 1.2, '× find and rclone by hand', detail)]
  })
}

async function small(media, all) {
  for (const [nth, key] of all.entries()) {
    const path = join(media, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, Buffer.alloc(300, nth % 256))
  }
}
