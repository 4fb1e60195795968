import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fill, flags, keys, timed } from './copy-world.mjs'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const FILES = 5_000
/** Milliseconds of a request, and the numbers of transfers that may be the best there. */
const LINES = [
  [20, [32, 64, 128, 256, 512]],
  [100, [64, 128, 256, 512]],
  [250, [128, 256, 512]],
]
const [GRANTED, MANY] = [300, 8_000]
const VERSION = 'def major\n  4\nend\ndef minor\n  6\nend\n'
const ID = 'a'.repeat(32)

/** Without --transfers, beside rclone by hand with each number; and where a bucket refuses more. */
export async function lineFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-line-'))
  try {
    const live = join(folder, 'live')
    await mkdir(join(live, 'lib/mastodon'), { recursive: true })
    await writeFile(join(live, 'lib/mastodon/version.rb'), VERSION)
    await fill(join(live, 'public/system'), keys(0, FILES))
    const figures = []
    for (const [delay, numbers] of LINES) figures.push(...(await oneLine(folder, delay, numbers)))
    await fill(join(live, 'public/system'), keys(FILES, MANY))
    return [...figures, ...(await limited(folder))]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function oneLine(folder, delay, numbers) {
  const all = keys(0, FILES)
  const byHand = []
  for (const number of numbers) {
    const took = await onBucket([delay], (url) => rclone(folder, url, all, number))
    byHand.push({ number, took: took.took })
  }
  const ours = await onBucket([delay], (url) => migrate(cli, folder, url))
  const best = byHand.toSorted((a, b) => a.took - b.took)[0]
  const hands = byHand.map(({ number, took }) => `${number}: ${seconds(took)}`).join(', ')
  const name = `copy of ${FILES} at ${delay} ms a request`
  const rows = [
    row(name, ours.took / best.took, 1.1, '× the best by hand', `${seconds(ours.took)}; ${hands}`),
  ]
  const base = process.env.MASTODON_R2_BENCH_BASE
  if (delay < 250 || base === undefined) return rows
  const before = await onBucket([delay], (url) => migrate(base, folder, url))
  const detail = seconds(before.took)
  return [...rows, row('the same', ours.took / before.took, 1 / 2.5, '× of before', detail)]
}

/** What is refused, and how much of what is granted is used, from the program's start to its end. */
async function limited(folder) {
  const { took, told } = await onBucket([20, GRANTED], (url) => migrate(cli, folder, url))
  if (told.objects !== MANY) throw new Error(`${told.objects} of ${MANY} files were copied.`)
  const used = told.granted / (took / 1000) / GRANTED
  const name = `copy of ${MANY} at ${GRANTED} requests a second`
  return [
    row(`${name}, rate not used`, 1 - used, 0.1, 'of the rate', seconds(took)),
    row('the same, refused', told.refused / (told.granted + told.refused), 0.01, 'of the requests'),
  ]
}

async function onBucket(wishes, work) {
  const script = fileURLToPath(new URL('./slow-bucket.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, ...wishes.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const { value: url } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
    const took = await work(url)
    return { took, told: await (await fetch(`${url}/told`)).json() }
  } finally {
    child.kill('SIGTERM')
  }
}

function rclone(folder, url, all, number) {
  const env = {
    PATH: process.env.PATH,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_R2_TYPE: 's3',
    RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare',
    RCLONE_CONFIG_R2_ENDPOINT: url,
    RCLONE_CONFIG_R2_REGION: 'auto',
    RCLONE_CONFIG_R2_ACCESS_KEY_ID: ID,
    RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: ID + ID,
  }
  const wishes = flags.with(flags.indexOf('--transfers') + 1, String(number))
  const args = ['copy', join(folder, 'live/public/system'), 'R2:media', ...wishes]
  return timed('rclone', args, { env, input: `${all.join('\n')}\n` })
}

/** A first copy, with notes of its own, to the setup that the env file holds. */
async function migrate(program, folder, url) {
  const [live, home] = [join(folder, 'live'), await mkdtemp(join(folder, 'home-'))]
  const block = [
    'LOCAL_DOMAIN=social.example.com',
    'S3_ENABLED=false',
    'S3_BUCKET=media',
    'S3_REGION=auto',
    `S3_ENDPOINT=${url}`,
    'S3_PROTOCOL=https',
    'S3_PERMISSION=',
    'S3_ALIAS_HOST=files.example.com',
    `AWS_ACCESS_KEY_ID=${ID}`,
    `AWS_SECRET_ACCESS_KEY=${ID}${ID}`,
  ]
  await writeFile(join(live, '.env.production'), `${block.join('\n')}\n`)
  const env = { PATH: process.env.PATH, HOME: home }
  const args = ['migrate', '--stage', 'copy', '--yes', '--s3-endpoint-url', url]
  return timed(program, args, { cwd: live, env })
}

function row(name, value, limit, unit, detail) {
  return { name, value, limit, unit, detail }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
