import { fill, keys } from './copy-world.mjs'
import { byHand, cli, inWorld, migrate, onBucket, row, seconds } from './line-world.mjs'

const FILES = 5_000
/** Milliseconds of a request, and the numbers of transfers that may be the best there. */
const LINES = [
  [20, [32, 64, 128, 256, 512]],
  [100, [64, 128, 256, 512]],
  [250, [128, 256, 512]],
]

/** Without --transfers, beside rclone by hand with each number. */
export async function lineFigures() {
  return inWorld(async (folder, media) => {
    await fill(media, keys(0, FILES))
    const figures = []
    for (const [delay, numbers] of LINES) figures.push(...(await oneLine(folder, delay, numbers)))
    return figures
  })
}

async function oneLine(folder, delay, numbers) {
  const all = keys(0, FILES)
  const hands = []
  for (const number of numbers) {
    const { took } = await onBucket([delay], (url) => byHand(folder, url, all, number))
    hands.push({ number, took })
  }
  const ours = await onBucket([delay], (url) => migrate(cli, folder, url))
  const best = Math.min(...hands.map(({ took }) => took))
  const detail = hands.map(({ number, took }) => `${number}: ${seconds(took)}`).join(', ')
  const name = `copy of ${FILES} at ${delay} ms a request`
  const rows = [
    row(name, ours.took / best, 1.1, '× the best by hand', `${seconds(ours.took)}; ${detail}`),
  ]
  const base = process.env.MASTODON_R2_BENCH_BASE
  if (delay < 250 || base === undefined) return rows
  const before = await onBucket([delay], (url) => migrate(base, folder, url))
  const then = seconds(before.took)
  return [...rows, row('the same', ours.took / before.took, 1 / 2.5, '× of before', then)]
}
