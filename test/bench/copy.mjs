import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const REQUEST_MS = 50
const [FIRST, MANY, NEW] = [2_000, 20_000, 200]
const ROUNDS = 3
const VERSION = 'def major\n  4\nend\ndef minor\n  6\nend\n'
const flags = [
  ...['--files-from-raw', '-', '--no-check-dest', '--no-traverse', '--s3-no-check-bucket'],
  ...['--s3-no-head', '--no-update-modtime', '-L', '--retries', '1', '--transfers', '64'],
  ...['--use-json-log', '--stats', '1s', '-v', '--header-upload'],
  'Cache-Control: public, max-age=315576000, immutable',
]

/** A copy beside rclone driven by hand, and what a later one costs. */
export async function copyFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-bench-'))
  const sandbox = await startSandbox()
  try {
    return [...(await firstCopy(sandbox, folder)), ...(await laterCopy(sandbox, folder))]
  } finally {
    sandbox.child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

async function firstCopy(sandbox, folder) {
  const all = keys(0, FIRST)
  const times = { hand: [], ours: [] }
  let [requests, none] = [0, 0]
  for (let round = 1; round <= ROUNDS; round += 1) {
    const hand = await server(sandbox, folder, `hand-${round}`)
    const ours = await server(sandbox, folder, `ours-${round}`, all)
    times.hand.push(await byHand(hand, join(ours.live, 'public/system'), all))
    requests = await counted(sandbox, async () => times.ours.push(await migrate(ours)))
    none = await counted(sandbox, () => migrate(ours))
  }
  const [hand, took] = [Math.min(...times.hand), Math.min(...times.ours)]
  const plain = await server(sandbox, folder, 'defaults', all)
  const defaults = await byHand(plain, join(plain.live, 'public/system'), all, [])
  const detail = `${seconds(took)}, by hand ${seconds(hand)}`
  const allowed = FIRST + FIRST / 1000 + 10
  return [
    figure(`first copy of ${FIRST} files`, took / hand, 1.15, '× rclone by hand', detail),
    figure('the same', took / defaults, 0.1, "× rclone's defaults", seconds(defaults)),
    figure('the same, requests', requests.length, allowed),
    figure('nothing new, requests', none.length, 0),
  ]
}

/** Not one of the many is uploaded: the notes say that they are there, and nobody asks the bucket. */
async function laterCopy(sandbox, folder) {
  const ours = await server(sandbox, folder, 'later', keys(0, 1))
  const hand = await server(sandbox, folder, 'later-hand')
  await migrate(ours)
  const root = join(ours.live, 'public/system')
  await fill(root, keys(1, MANY))
  await noteAsCopied(ours, root, keys(0, MANY))
  const [none] = [await migrate(ours)]
  const stamp = join(folder, 'stamp')
  await writeFile(stamp, '')
  const fresh = keys(MANY, MANY + NEW)
  await fill(root, fresh)
  const find = await timed('find', [root, '-type', 'f', '-cnewer', stamp, '-printf', '%P\\n'])
  const upload = await byHand(hand, root, fresh)
  let took = 0
  const requests = await counted(sandbox, async () => {
    took = await migrate(ours)
  })
  const lists = requests.filter(({ method }) => method === 'GET')
  const detail = `${seconds(took)}; find ${seconds(find)}, upload ${seconds(upload)}; nothing new ${seconds(none)}`
  return [
    figure(`${NEW} new in ${MANY}`, took / (find + upload), 1.2, '× find and upload', detail),
    figure('the same, requests', requests.length, NEW + 10),
    figure('the same, lists', lists.length, 0),
  ]
}

async function noteAsCopied({ home }, root, all) {
  const state = join(home, '.local/state/mastodon-r2')
  const notes = join(state, (await readdir(state))[0])
  const lines = all.map((key) => JSON.stringify([key, statSync(join(root, key)).ctimeMs]))
  await writeFile(join(notes, 'copied.jsonl'), `${lines.join('\n')}\n`)
  const path = join(notes, 'checkpoint.json')
  const checkpoint = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...checkpoint, completeSince: new Date().toISOString() }))
}

function keys(from, to) {
  return Array.from({ length: to - from }, (_, nth) => {
    const id = String(from + nth).padStart(9, '0')
    const parts = [id.slice(0, 3), id.slice(3, 6), id.slice(6)].join('/')
    return `media_attachments/files/${parts}/original/${id.padStart(16, '0')}.png`
  })
}

async function fill(root, all) {
  for (const [nth, key] of all.entries()) {
    const path = join(root, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, Buffer.alloc(4_000 + (nth % 16) * 1_000, nth % 256))
  }
}

/** A Mastodon with these files, and a bucket prepared for it. */
async function server(sandbox, folder, name, all = []) {
  const [live, home] = [join(folder, name, 'live'), join(folder, name, 'home')]
  await mkdir(live, { recursive: true })
  await mkdir(home)
  await writeFile(join(live, '.env.production'), 'LOCAL_DOMAIN=social.example.com\n')
  // What tells a Mastodon from any other folder.
  await mkdir(join(live, 'lib/mastodon'), { recursive: true })
  await writeFile(join(live, 'lib/mastodon/version.rb'), VERSION)
  await fill(join(live, 'public/system'), all)
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CLOUDFLARE_BASE_URL: sandbox.cloudflareApiUrl,
    CLOUDFLARE_API_TOKEN: sandbox.apiToken,
    NODE_EXTRA_CA_CERTS: sandbox.caFile,
  }
  const routes = sandbox.connectTo.flatMap((route) => ['--connect-to', route])
  const world = ['--s3-endpoint-url', sandbox.s3EndpointUrls.default, ...routes]
  const at = { live, home, env, world, name, sandbox }
  const where = ['--media-host', `${name}.example.com`, '--bucket', name]
  const init = [
    'init',
    '--yes',
    ...where,
    ...(all.length > 0 ? ['--existing-media', 'prepare'] : []),
  ]
  await timed(cli, [...init, ...world], { cwd: live, env })
  return at
}

function migrate({ live, env, world }) {
  return timed(cli, ['migrate', '--stage', 'copy', '--yes', ...world], { cwd: live, env })
}

async function byHand({ live, name, sandbox }, root, all, wishes = flags) {
  const text = await readFile(join(live, '.env.production'), 'utf8')
  const read = (variable) => new RegExp(`^${variable}=(.*)$`, 'm').exec(text)?.[1]
  const env = {
    PATH: process.env.PATH,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_R2_TYPE: 's3',
    RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare',
    RCLONE_CONFIG_R2_ENDPOINT: sandbox.s3EndpointUrls.default,
    RCLONE_CONFIG_R2_REGION: 'auto',
    RCLONE_CONFIG_R2_ACCESS_KEY_ID: read('AWS_ACCESS_KEY_ID'),
    RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: read('AWS_SECRET_ACCESS_KEY'),
  }
  const input = `${all.join('\n')}\n`
  return timed('rclone', ['copy', root, `R2:${name}`, ...wishes], { env, input })
}

async function startSandbox() {
  const delays = ['--domain-delay', '0ms', '--key-delay', '0ms']
  const args = [cli, 'sandbox', '--json', '--attached', ...delays]
  const child = spawn(process.execPath, [...args, '--request-delay', `${REQUEST_MS}ms`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) return { child, ...JSON.parse(line) }
  throw new Error('The sandbox did not start.')
}

/** Milliseconds from a program's start to its end. */
function timed(program, args, { input, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const before = performance.now()
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    let words = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        words = (words + chunk).slice(-3_000)
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - before)
      else reject(new Error(`${program} ${args[0]} ended with ${code}:\n${words}`))
    })
  })
}

/** The requests to the storage while something is done. */
async function counted({ cloudflareApiUrl }, work) {
  const log = async () => (await fetch(new URL('/sandbox/log', cloudflareApiUrl))).json()
  const before = (await log()).length
  await work()
  return (await log()).slice(before).filter(({ side }) => side === 's3')
}

function figure(name, value, limit, unit = '', detail = undefined) {
  return { name, value, limit, unit, detail }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
