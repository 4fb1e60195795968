import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const REQUEST_MS = 50
const [FIRST, MANY, NEW] = [2_000, 20_000, 200]
/** `rclone copy` with its defaults, 2,000 files at 50 ms a request, in seconds: measured once. */
const DEFAULTS_S = 57.7
const flags = [
  ...['--files-from-raw', '-', '--no-check-dest', '--no-traverse', '--s3-no-check-bucket'],
  ...['--s3-no-head', '--no-update-modtime', '-L', '--retries', '1', '--transfers', '64'],
  ...['--use-json-log', '--stats', '1s', '-v'],
  ...['--header-upload', 'Cache-Control: public, max-age=315576000, immutable'],
]

/** A copy beside rclone driven by hand, and what a copy costs once everything is there. */
export async function copyFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-bench-'))
  const sandbox = await startSandbox()
  try {
    const first = await firstCopy(sandbox, folder)
    return [...first, ...(await laterCopies(sandbox, folder))]
  } finally {
    sandbox.child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

async function firstCopy(sandbox, folder) {
  const live = await machine(folder, 'first', FIRST)
  const byHand = await setUp(sandbox, live, 'by-hand')
  await byHand.rclone(live, keys(0, FIRST))
  // The first run of each warms up the emulator and the disk; the second one counts.
  const hand = await (await setUp(sandbox, live, 'by-hand-2')).rclone(live, keys(0, FIRST))
  const ours = await setUp(sandbox, live, 'ours')
  const before = await log(sandbox)
  const took = await ours.migrate(live)
  const requests = (await log(sandbox)).slice(before.length)
  const again = await log(sandbox)
  await ours.migrate(live)
  const none = (await log(sandbox)).length - again.length
  return [
    {
      name: `first copy of ${FIRST} files`,
      value: took / hand,
      limit: 1.15,
      unit: '× rclone by hand',
      detail: `${seconds(took)} s, by hand ${seconds(hand)} s`,
    },
    {
      name: `${DEFAULTS_S} s of rclone with its defaults`,
      value: took / 1000 / DEFAULTS_S,
      limit: 0.1,
      unit: '× of that',
    },
    { name: 'requests of it', value: requests.length, limit: FIRST + FIRST / 1000 + 10, unit: '' },
    { name: 'nothing new, requests', value: none, limit: 0, unit: '' },
  ]
}

async function laterCopies(sandbox, folder) {
  const live = await machine(folder, 'later', MANY)
  const ours = await setUp(sandbox, live, 'later')
  await request(sandbox, 'delay', 0)
  await ours.migrate(live)
  await write(live, keys(MANY, NEW))
  const before = (await log(sandbox)).length
  const took = await ours.migrate(live)
  const requests = (await log(sandbox)).slice(before)
  const lists = requests.filter(({ method }) => method === 'GET').length
  const find = await timed('find', ['.', '-type', 'f', '-newer', 'stamp', '-printf', '%P\\n'], {
    cwd: join(live, 'public/system'),
  }).catch(() => undefined)
  const hand = await (await setUp(sandbox, live, 'later-by-hand')).rclone(live, keys(MANY, NEW))
  return [
    {
      name: `${NEW} new in ${MANY}`,
      value: took / ((find ?? 0) + hand),
      limit: 1.2,
      unit: '× find and the upload',
      detail: `${seconds(took)} s, by hand ${seconds(hand)} s`,
    },
    { name: 'requests of it', value: requests.length, limit: NEW + 10, unit: '' },
    { name: 'lists of it', value: lists, limit: 0, unit: '' },
  ]
}
