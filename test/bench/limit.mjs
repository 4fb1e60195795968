import { fill, keys } from './copy-world.mjs'
import { cli, inWorld, migrate, onBucket, row, seconds } from './line-world.mjs'

/** Milliseconds of a request near by and far away, and how many a second are granted. */
const [DELAY, FAR, GRANTED] = [20, 250, 300]
const SIZES = [8_000, 16_000]
/** Files, and seconds after which the limit goes. */
const [MANY, LIFTED] = [24_000, 12]

/** Where a bucket refuses more: what is used, what is refused, and what comes when the limit goes. */
export async function limitFigures() {
  return inWorld(async (folder, media) => {
    const figures = []
    let made = 0
    for (const files of SIZES) {
      await fill(media, keys(made, files))
      made = files
      figures.push(...(await limited(folder, files, DELAY)))
    }
    figures.push(...(await limited(folder, made, FAR)))
    await fill(media, keys(made, MANY))
    return [...figures, ...(await recovered(folder))]
  })
}

/** From the program's start to its end. */
async function limited(folder, files, delay) {
  const { took, told } = await onBucket([delay, GRANTED], (url) => migrate(cli, folder, url))
  expectAll(told, files)
  const used = told.granted / (took / 1000) / GRANTED
  const name = `copy of ${files} at ${GRANTED} requests a second, each of ${delay} ms`
  return [
    row(`${name}, rate not used`, 1 - used, 0.1, 'of the rate', seconds(took)),
    row('the same, refused', share(told), 0.01, 'of the requests', String(told.refused)),
  ]
}

/** Seconds from the end of the limit until twice as many are granted. */
async function recovered(folder) {
  const { took, told } = await onBucket([DELAY, GRANTED, LIFTED], (url) =>
    migrate(cli, folder, url),
  )
  expectAll(told, MANY)
  const noticed = told.grantedIn.findIndex((granted, second) => {
    return second > LIFTED && granted >= 2 * GRANTED
  })
  const after = noticed < 0 ? Number.POSITIVE_INFINITY : noticed - LIFTED
  const most = Math.max(...told.grantedIn.map((granted) => granted ?? 0))
  const detail = `${seconds(took)}; at most ${most} in a second, ${told.refused} refused`
  return [row(`the limit goes after ${LIFTED} s, noticed within`, after, 60, 's', detail)]
}

function expectAll({ objects }, files) {
  if (objects !== files) throw new Error(`${objects} of ${files} files were copied.`)
}

function share({ granted, refused }) {
  return refused / (granted + refused)
}
