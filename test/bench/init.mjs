import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const REQUEST_MS = 100
const [DOMAIN_MS, KEY_MS] = [8000, 5000]

/** `init` on a sandbox with realistic delays, and once more when all is done already. */
export async function initFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-bench-'))
  const sandbox = await startSandbox()
  try {
    const first = await init(cli, sandbox, folder)
    const before = (await log(sandbox)).length
    const second = await init(cli, sandbox, folder)
    const requests = (await log(sandbox)).slice(before)
    const writes = requests.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method))
    const slowest = Math.max(DOMAIN_MS, KEY_MS)
    return [
      {
        name: 'init, above its slowest wait',
        value: (first - slowest) / 1000,
        limit: 1,
        unit: 's',
        detail: `${seconds(first)} s in all, ${before} requests of ${REQUEST_MS} ms`,
      },
      ...(await besideBase(first - slowest)),
      {
        name: 'second init, requests one after another',
        value: roundTrips(requests),
        limit: 4,
        unit: 'round trips',
        detail: `${seconds(second)} s, ${requests.length} requests`,
      },
      { name: 'second init, writes', value: writes.length, limit: 0, unit: '' },
    ]
  } finally {
    sandbox.child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

/** The same of an older build, where one is given. */
async function besideBase(ours) {
  const base = process.env.MASTODON_R2_BENCH_BASE
  if (base === undefined) return []
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-bench-'))
  const sandbox = await startSandbox()
  try {
    const theirs = (await init(base, sandbox, folder)) - Math.max(DOMAIN_MS, KEY_MS)
    const detail = `before ${seconds(theirs)} s`
    return [{ name: 'the same', value: ours / theirs, limit: 0.45, unit: '× of before', detail }]
  } finally {
    sandbox.child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

async function startSandbox() {
  const delays = ['--domain-delay', `${DOMAIN_MS}ms`, '--key-delay', `${KEY_MS}ms`]
  const args = [cli, 'sandbox', '--json', '--attached', ...delays]
  const child = spawn(process.execPath, [...args, '--request-delay', `${REQUEST_MS}ms`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) return { child, ...JSON.parse(line) }
  throw new Error('The sandbox did not start.')
}

/** Milliseconds, from the start of the program to its end. */
function init(program, { cloudflareApiUrl, s3EndpointUrls, connectTo, caFile, apiToken }, folder) {
  const flags = ['--yes', '--media-host', 'files.example.com']
  const world = ['--s3-endpoint-url', s3EndpointUrls.default]
  const routes = connectTo.flatMap((route) => ['--connect-to', route])
  const env = {
    PATH: process.env.PATH,
    CLOUDFLARE_BASE_URL: cloudflareApiUrl,
    CLOUDFLARE_API_TOKEN: apiToken,
    NODE_EXTRA_CA_CERTS: caFile,
    // Its flag had another name in older builds.
    MASTODON_R2_ENV_FILE: '.env.production',
  }
  return new Promise((resolve, reject) => {
    const before = performance.now()
    const child = spawn(program, ['init', ...flags, ...world, ...routes], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let words = ''
    child.stdout.on('data', (chunk) => {
      words += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - before)
      else reject(new Error(`init ended with ${code}:\n${words}`))
    })
  })
}

async function log({ cloudflareApiUrl }) {
  return (await fetch(new URL('/sandbox/log', cloudflareApiUrl))).json()
}

/** The longest row of requests of which none began before the one ahead of it was answered. */
function roundTrips(requests) {
  let count = 0
  let end = Number.NEGATIVE_INFINITY
  for (const { at } of requests.toSorted((a, b) => a.at - b.at)) {
    if (at < end) continue
    count += 1
    end = at + REQUEST_MS
  }
  return count
}

function seconds(ms) {
  return (ms / 1000).toFixed(1)
}
