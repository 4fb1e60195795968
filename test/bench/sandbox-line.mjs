import { mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { byHand, flags, migrate, server, startSandbox } from './copy-world.mjs'

const FILES = Number(process.env.MASTODON_R2_BENCH_FILES ?? 5_000)
/** Milliseconds of a request. */
const DELAYS = (process.env.MASTODON_R2_BENCH_DELAYS ?? '20,100,250').split(',').map(Number)
const NUMBERS = [32, 64, 128, 256, 512]
const KB = 1_000
/** Of ten files: bytes from and to, spread evenly over their orders of magnitude. */
const kinds = [
  ...Array(4).fill(['accounts/avatars', 20 * KB, 200 * KB]),
  ...Array(3).fill(['media_attachments/files/small', 20 * KB, 80 * KB]),
  ...Array(3).fill(['media_attachments/files/original', 100 * KB, 2_000 * KB]),
]
const [VIDEOS, VIDEO_BYTES] = [5, 20_000 * KB]

/** Files of Mastodon's sizes to R2's emulator, beside rclone by hand with each number of transfers. */
export async function sandboxFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-sandbox-line-'))
  try {
    const media = join(folder, 'media')
    const all = await fill(media)
    const figures = []
    for (const delay of DELAYS) figures.push(await oneLine(folder, media, all, delay))
    return figures
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function oneLine(folder, media, all, delay) {
  const hands = []
  for (const number of NUMBERS) {
    const wishes = flags.with(flags.indexOf('--transfers') + 1, String(number))
    const took = await inSandbox(folder, delay, (at) => byHand(at, media, all, wishes))
    hands.push({ number, took })
  }
  const took = await inSandbox(folder, delay, async (at) => {
    const system = join(at.live, 'public/system')
    await mkdir(dirname(system), { recursive: true })
    await rename(media, system)
    return await migrate(at).finally(() => rename(system, media))
  })
  const best = Math.min(...hands.map((hand) => hand.took))
  const detail = hands.map(({ number, took }) => `${number}: ${seconds(took)}`).join(', ')
  return {
    name: `copy of ${all.length} of Mastodon's sizes to the sandbox at ${delay} ms`,
    value: took / best,
    limit: 1.1,
    unit: '× the best by hand',
    detail: `${seconds(took)}; ${detail}`,
  }
}

/** A sandbox for each: the emulator grows slower with what it holds. */
async function inSandbox(folder, delay, work) {
  const sandbox = await startSandbox(delay)
  const own = await mkdtemp(join(folder, 'run-'))
  try {
    return await work(await server(sandbox, own, 'media'))
  } finally {
    sandbox.child.kill('SIGTERM')
    await new Promise((resolve) => sandbox.child.once('close', resolve))
    await rm(own, { recursive: true, force: true })
  }
}

async function fill(root) {
  const keys = []
  const make = async (key, bytes) => {
    const path = join(root, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, '')
    await truncate(path, Math.round(bytes))
    keys.push(key)
  }
  for (let nth = 0; nth < FILES - VIDEOS; nth += 1) {
    const [kind, least, most] = kinds[nth % kinds.length]
    const place = ((nth * 7_919) % FILES) / FILES
    await make(`${kind}/${idOf(nth)}.jpg`, least * (most / least) ** place)
  }
  for (let nth = 0; nth < VIDEOS; nth += 1) {
    await make(`media_attachments/files/video/${idOf(nth)}.mp4`, VIDEO_BYTES)
  }
  return keys.sort()
}

function idOf(nth) {
  const id = String(nth).padStart(9, '0')
  return [id.slice(0, 3), id.slice(3, 6), id.slice(6), id].join('/')
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
