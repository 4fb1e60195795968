import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fill, keys } from './copy-world.mjs'
import { cli, inWorld, migrate, onBucket, row, seconds } from './line-world.mjs'

const MEBI = 1_048_576
/** Far enough for as many files under way as there ever are. */
const DELAY = 250
const LOOK_MS = 25
/** How many files of how many MB; without content on this disk. */
const VIDEOS = [
  [300, 5],
  [120, 10],
  [60, 25],
  [32, 50],
]
const IN_PARTS = [3, 300]
const SMALL = 3_000

/** What this program and rclone hold in memory, and whether small files wait for large ones. */
export async function largeFigures() {
  return inWorld(async (folder, media) => {
    await fill(media, keys(0, SMALL))
    const alone = await copied(folder)
    await videos(media, VIDEOS, 0)
    await videos(media, [IN_PARTS], 900_000)
    const together = await copied(folder)
    const of = (peak) => `program ${mb(peak.own)} MB, rclone ${mb(peak.others)} MB`
    return [
      row(`memory for ${SMALL} small files`, mb(alone.peak.sum), 400, 'MB', of(alone.peak)),
      row(
        'memory for videos of 5 to 50 MB, and 3 of 300 MB',
        mb(together.peak.sum),
        400,
        'MB',
        `${of(together.peak)}; ${seconds(together.took)}`,
      ),
    ]
  })
}

async function videos(media, kinds, from) {
  let nth = from
  for (const [count, size] of kinds) {
    for (const key of keys(nth, nth + count)) {
      const path = join(media, key.replace(/png$/, 'mp4'))
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, '')
      await truncate(path, size * MEBI)
    }
    nth += count
  }
}

async function copied(folder) {
  let peak
  const { took } = await onBucket([DELAY], (url) =>
    migrate(cli, folder, url, async (...run) => {
      const before = performance.now()
      peak = await peakOf(...run)
      return performance.now() - before
    }),
  )
  return { took, peak }
}

/** The most bytes that a program and what it starts held at one time; resolves at its end. */
function peakOf(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let words = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        words = (words + chunk).slice(-3_000)
      })
    }
    const peak = { sum: 0, own: 0, others: 0 }
    const looking = setInterval(() => {
      const own = held(child.pid)
      const others = startedBy(child.pid).reduce((sum, pid) => sum + held(pid), 0)
      if (own + others > peak.sum) Object.assign(peak, { sum: own + others, own, others })
    }, LOOK_MS)
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(looking)
      if (code === 0) resolve(peak)
      else reject(new Error(`${program} ended with ${code}:\n${words}`))
    })
  })
}

function startedBy(pid) {
  const read = told(`/proc/${pid}/task/${pid}/children`)
  const children = read.split(' ').filter((word) => word !== '')
  return children.flatMap((child) => [child, ...startedBy(child)])
}

function held(pid) {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(told(`/proc/${pid}/status`))?.[1] ?? 0)
}

/** Nothing of a process that has ended meanwhile. */
function told(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function mb(bytes) {
  return Math.round(bytes / MEBI)
}
