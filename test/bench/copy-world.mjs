import { spawn } from 'node:child_process'
import { statfsSync, statSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const REQUEST_MS = 50
/** Bytes that all objects of a run fit into. */
const MEMORY = 2 ** 30
const VERSION = 'def major\n  4\nend\ndef minor\n  6\nend\n'
export const flags = [
  ...['--files-from-raw', '-', '--no-check-dest', '--no-traverse', '--s3-no-check-bucket'],
  ...['--s3-no-head', '--no-update-modtime', '-L', '--retries', '1', '--transfers', '64'],
  ...['--use-json-log', '--stats', '1s', '-v', '--header-upload'],
  'Cache-Control: public, max-age=315576000, immutable',
]

/** Adds versions, `[key, changedAt]`, to what is noted as copied. */
export async function noteMore(at, versions) {
  const lines = versions.map((version) => JSON.stringify(version))
  await appendFile(join(await notesOf(at), 'copied.jsonl'), `${lines.join('\n')}\n`)
}

async function notesOf({ home }) {
  const state = join(home, '.local/state/mastodon-r2')
  return join(state, (await readdir(state))[0])
}

export async function noteAsCopied(at, root, all) {
  const notes = await notesOf(at)
  const lines = all.map((key) => JSON.stringify([key, statSync(join(root, key)).ctimeMs]))
  await writeFile(join(notes, 'copied.jsonl'), `${lines.join('\n')}\n`)
  const path = join(notes, 'checkpoint.json')
  const checkpoint = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...checkpoint, completeSince: new Date().toISOString() }))
}

export function keys(from, to) {
  return Array.from({ length: to - from }, (_, nth) => {
    const id = String(from + nth).padStart(9, '0')
    const parts = [id.slice(0, 3), id.slice(3, 6), id.slice(6)].join('/')
    return `media_attachments/files/${parts}/original/${id.padStart(16, '0')}.png`
  })
}

export async function fill(root, all) {
  for (const [nth, key] of all.entries()) {
    const path = join(root, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, Buffer.alloc(4_000 + (nth % 16) * 1_000, nth % 256))
  }
}

/** A Mastodon with these files, and a bucket prepared for it. */
export async function server(sandbox, folder, name, all = []) {
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

export function migrate({ live, env, world }) {
  return timed(cli, ['migrate', '--stage', 'copy', '--yes', ...world], { cwd: live, env })
}

export async function byHand({ live, name, sandbox }, root, all, wishes = flags) {
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

export async function startSandbox(delay = REQUEST_MS) {
  const delays = ['--domain-delay', '0ms', '--key-delay', '0ms']
  const args = [cli, 'sandbox', '--json', '--attached', ...delays]
  const child = spawn(process.execPath, [...args, '--request-delay', `${delay}ms`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...inMemory() },
  })
  for await (const line of createInterface(child.stdout)) return { child, ...JSON.parse(line) }
  throw new Error('The sandbox did not start.')
}

/** Where the emulator's objects lie when there is room: R2 is not slowed down by this machine's disk. */
function inMemory() {
  const folder = '/dev/shm'
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > MEMORY ? { TMPDIR: folder } : {}
  } catch {
    return {}
  }
}

/** Milliseconds from a program's start to its end. */
export function timed(program, args, { input, ...options } = {}) {
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
export async function counted({ cloudflareApiUrl }, work) {
  const log = async () => (await fetch(new URL('/sandbox/log', cloudflareApiUrl))).json()
  const before = (await log()).length
  await work()
  return (await log()).slice(before).filter(({ side }) => side === 's3')
}
