import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundled } from './bundled.mjs'
import { heapFlags } from './heap-flags.mjs'

const [FEW, MANY] = [100_000, 1_000_000]
const sources = ['migrate/compare/sides.ts', 'services/s3/client.ts']
/** Milliseconds that a LIST takes where the time is measured. */
const DELAY_MS = 100

/** A comparison of generated sides, in a process of its own; one object in 10,000 is no file. */
export async function compareFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-compare-'))
  const server = createServer(listing)
  try {
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    await bundled(folder, ...sources)
    const script = join(folder, 'compare.mjs')
    await writeFile(script, program)
    const endpoint = `http://127.0.0.1:${server.address().port}`
    const [few, many] = [await run(script, endpoint, FEW), await run(script, endpoint, MANY)]
    const slow = `${endpoint}/slow`
    const [waiting, byRclone] = [await run(script, slow, MANY), await listedByRclone(slow, MANY)]
    const detail = `${few.mb} MB at ${FEW}; ${many.lists} LIST, ${many.heads} HEAD, ${many.seconds} s`
    return [
      { name: `compare of ${MANY}, memory`, value: many.mb, limit: 150, unit: 'MB', detail },
      { name: 'memory, beside a tenth of it', value: many.mb / few.mb, limit: 1.25, unit: '×' },
      {
        name: `compare of ${MANY}, LIST`,
        value: many.lists,
        limit: (MANY / 1000) * 1.02,
        unit: '',
      },
      {
        name: `compare of ${MANY} at ${DELAY_MS} ms a LIST`,
        value: waiting.seconds / byRclone,
        limit: 0.25,
        unit: '× rclone lsf --fast-list',
        detail: `${waiting.seconds} s, rclone ${byRclone.toFixed(1)} s, ${waiting.mb} MB`,
      },
    ]
  } finally {
    server.close()
    server.closeAllConnections()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Seconds that rclone takes for the list alone, without comparing it with anything. */
async function listedByRclone(endpoint, total) {
  const env = {
    PATH: process.env.PATH,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_R2_TYPE: 's3',
    RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare',
    RCLONE_CONFIG_R2_ENDPOINT: endpoint,
    RCLONE_CONFIG_R2_REGION: 'auto',
    RCLONE_CONFIG_R2_ACCESS_KEY_ID: 'a',
    RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: 'b',
  }
  const args = ['lsf', '-R', '--fast-list', '--files-only', '--format', 'ps', `R2:media-${total}`]
  const began = performance.now()
  const child = spawn('rclone', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  await once(child, 'close')
  return (performance.now() - began) / 1000
}

/** Pages as R2 sends them; the bucket's name says how many objects there are. */
async function listing(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://stub')
  if (pathname.startsWith('/slow/')) await sleep(DELAY_MS)
  const total = Number.parseInt(pathname.split('-')[1], 10)
  const after = searchParams.get('start-after')
  const from = after === null ? Number(searchParams.get('continuation-token') ?? 0) : behind(after)
  const until = Math.min(from + 1000, total)
  let entries = ''
  for (let at = from; at < until; at++) {
    entries += `<Contents><Key>${encodeURIComponent(keyOf(at))}</Key><Size>12345</Size><LastModified>2026-11-22T10:00:00.000Z</LastModified><ETag>&quot;${'a'.repeat(32)}&quot;</ETag><StorageClass>STANDARD</StorageClass></Contents>`
  }
  const more = until < total ? `<NextContinuationToken>${until}</NextContinuationToken>` : ''
  response.setHeader('content-type', 'application/xml')
  response.end(
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${until < total}</IsTruncated>${more}${entries}</ListBucketResult>`,
  )
}

/** The number of the first object behind a key. */
function behind(key) {
  const id = key.split('/').at(-1).replace('.jpg', '')
  return Math.round((Number(id) - 1e17) / 997) + 1
}

function keyOf(at) {
  const id = String(1e17 + at * 997).padStart(18, '0')
  return `media_attachments/files/${id.match(/\d{3}/g).join('/')}/original/${id}.jpg`
}

const program = `${heapFlags}import { createRequire } from 'node:module'
import { compareSides } from './migrate/compare/sides.mjs'
globalThis.require = createRequire(import.meta.url)
const { connectS3 } = await import('./services/s3/client.mjs')
const [endpoint, total] = [process.argv[2], Number(process.argv[3])]
${keyOf}
let lists = 0
let heads = 0
const s3 = connectS3({
  endpoint,
  bucket: 'media-' + total,
  key: { accessKeyId: 'a', secretAccessKey: { reveal: () => 'b' } },
  onCall: ({ method }) => (method === 'GET' ? lists++ : heads++),
})
async function* files() {
  for (let from = 0; from < total; from += 1000) {
    const batch = []
    for (let at = from; at < from + 1000; at++)
      if (at % 10000 !== 5) batch.push({ key: keyOf(at), size: 12345, changedAt: 0, mode: 0o644 })
    yield batch
  }
}
const began = performance.now()
const found = await compareSides(
  {
    source: { kind: 'local', name: '', files, find: async () => undefined },
    selection: { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false },
    checkpoint: { read: async () => undefined, recorded: async () => new Set() },
    bucket: () => s3,
    signal: new AbortController().signal,
    tell() {},
  },
  { usualModes: 'open' },
  new Date(),
)
if (!found.equal || found.uploaded.objects !== total / 10000) throw new Error(JSON.stringify(found))
const seconds = Math.round((performance.now() - began) / 100) / 10
const mb = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(JSON.stringify({ lists, heads, seconds, mb }))
`

async function run(script, endpoint, total) {
  const child = spawn(process.execPath, [script, endpoint, String(total)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  })
  return JSON.parse(await text(child.stdout))
}
