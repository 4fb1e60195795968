/**
 * The built program against a real Cloudflare account: init, check, rotate, redirects, undo, with a
 * bucket and a host of random names. What Cloudflare's docs leave open is asked on the way and written
 * to test/live/facts.json. All that was made is removed, however it ends. `--sandbox`: the same against
 * the local stand-in; `--out FILE`: where the facts go.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'

const root = resolve(import.meta.dirname, '../..')
const cli = join(root, 'dist/cli.js')
const { values: options } = parseArgs({
  options: { sandbox: { type: 'boolean', default: false }, out: { type: 'string' } },
})
const NEEDED = {
  CLOUDFLARE_API_TOKEN: 'a token as docs/token.md describes it',
  CLOUDFLARE_ACCOUNT_ID: 'the account to try it in',
  MASTODON_R2_LIVE_ZONE: 'a domain of that account; hosts below it with random names are used',
}

// Who stops it waits for the end of what runs, and for the tidying up.
const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopped.abort())

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-live-'))
const sandbox = options.sandbox ? await startSandbox() : undefined
const environment = { ...process.env, ...sandbox?.environment }
const missing = Object.keys(NEEDED).filter((name) => !environment[name])
if (missing.length > 0) {
  for (const name of missing) console.error(`${name} is not set: ${NEEDED[name]}.`)
  console.error('Nothing was done. To try it without an account: npm run test:live -- --sandbox')
  process.exit(2)
}

const mark = randomBytes(4).toString('hex')
const zone = environment.MASTODON_R2_LIVE_ZONE
const account = environment.CLOUDFLARE_ACCOUNT_ID
const api = environment.CLOUDFLARE_BASE_URL ?? 'https://api.cloudflare.com/client/v4'
const [bucket, other] = [`mastodon-r2-live-${mark}`, `mastodon-r2-live-${mark}-b`]
const host = `files-${mark}.${zone}`
const env = join(folder, '.env.production')
writeFileSync(env, `LOCAL_DOMAIN=social-${mark}.${zone}\n`, { mode: 0o600 })

const facts = {}
const runs = []
let failed = false
try {
  await program('init', '--media-host', host, '--bucket', bucket, '--edge', 'none', '--yes')
  await program('check')
  await askWhatIsOpen()
  await program('rotate', '--grace', '0s', '--restart', 'print', '--assume-restarted', '--yes')
  await program(
    'redirects',
    '--via',
    'nginx',
    '--old-address',
    `https://social-${mark}.${zone}/system/`,
    '--yes',
  )
  await program(
    'redirects',
    '--via',
    'single',
    '--old-address',
    `https://social-${mark}.${zone}/system/`,
    '--yes',
  )
  await program('redirects', '--remove', '--yes')
  await program('undo', '--detach-domain', '--delete-empty-bucket', '--even-if-in-use', '--yes')
} catch (error) {
  failed = true
  console.error(hidden(String(error?.stack ?? error)))
} finally {
  const left = await cleanUp()
  const against = sandbox ? 'sandbox' : 'cloudflare'
  const found = { at: new Date().toISOString().slice(0, 10), against, runs, facts, left }
  const out = options.out ?? join(sandbox ? folder : join(root, 'test/live'), 'facts.json')
  writeFileSync(out, hidden(`${JSON.stringify(found, undefined, 2)}\n`))
  console.log(readFileSync(out, 'utf8'))
  if (left.length > 0) console.error(`Still there, please remove it: ${left.join(', ')}`)
  await sandbox?.close()
  rmSync(folder, { recursive: true, force: true })
  const isWrong = runs.some(({ code, expected }) => !expected.includes(code))
  process.exitCode = failed || left.length > 0 || isWrong ? 1 : 0
}

/** One command; what it says of itself is kept, and its exit code judged at the end. */
async function program(command, ...flags) {
  stopped.signal.throwIfAborted()
  const before = [cli, command, ...flags, '--json', '--mastodon-env', env]
  const child = execFile(process.execPath, before, {
    cwd: folder,
    env: environment,
    timeout: 1_800_000,
    maxBuffer: 1e8,
  })
  stopped.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  let [text, words] = ['', '']
  child.stdout.on('data', (part) => (text += part))
  child.stderr.on('data', (part) => (words += part))
  const [code] = await once(child, 'close')
  const { problem, steps = [] } = text === '' ? {} : JSON.parse(text)
  // A rule can be refused where nothing answers at the instance's address yet.
  const expected = command === 'redirects' ? [0, 1, 2] : command === 'rotate' ? [0, 3] : [0]
  runs.push({
    command: [command, ...flags].join(' '),
    code,
    expected,
    problem: problem?.code ?? null,
    steps: steps.map(({ id, status }) => `${id} ${status}`),
  })
  console.error(`${command}: ${code}${problem ? ` (${problem.code})` : ''}`)
  if (!expected.includes(code)) throw new Error(`${command} ended with ${code}.\n${words}`)
}

/** What no source that we read tells. */
async function askWhatIsOpen() {
  const {
    result: [{ id: zoneId }],
  } = await call('GET', `/zones?name=${zone}`)
  const domain = { domain: host, zoneId, enabled: true }
  await call('POST', `/accounts/${account}/r2/buckets`, { name: other })
  const attach = (to) =>
    call('POST', `/accounts/${account}/r2/buckets/${to}/domains/custom`, domain)
  facts.hostTaken = answerOf(await attach(other))
  facts.attachedTwice = answerOf(await attach(bucket))
  const id = written('AWS_ACCESS_KEY_ID')
  const path = `/accounts/${account}/tokens/${id}`
  const { result: token } = await call('GET', path)
  const renamed = {
    name: `${token.name} (renamed)`,
    policies: token.policies,
    status: token.status,
  }
  facts.renameOfToken = answerOf(await call('PUT', path, renamed))
  facts.keyOfRenamedToken = await s3(new HeadBucketCommand({ Bucket: bucket }))
  await call('PUT', path, { ...renamed, name: token.name })
  facts.wrongToken = answerOf(await call('GET', '/accounts', undefined, 'a'.repeat(40)))
  facts.notAllowed = answerOf(await call('GET', `/accounts/${account}/members`))
  const object = { Bucket: bucket, Key: 'live/probe.txt' }
  const put = {
    ...object,
    Body: 'probe',
    ContentType: 'text/plain',
    CacheControl: 'public, max-age=600',
  }
  facts.putWithCrc32 = await s3(new PutObjectCommand({ ...put, ChecksumAlgorithm: 'CRC32' }))
  await s3(new PutObjectCommand(put))
  facts.headWithPartNumber = await s3(new HeadObjectCommand({ ...object, PartNumber: 1 }))
  const url = `https://${host}/${object.Key}`
  const from = { origin: `https://social-${mark}.${zone}` }
  facts.corsOnCachedCopy = []
  for (const headers of [{}, {}, from, from]) facts.corsOnCachedCopy.push(await visit(url, headers))
  await s3(new DeleteObjectCommand(object))
}

function answerOf({ status, errors = [] }) {
  return { status, errors: errors.map(({ code, message }) => ({ code, message })) }
}

async function call(method, path, body, token = environment.CLOUDFLARE_API_TOKEN) {
  const response = await fetch(api + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  })
  const answer = await response.json().catch(() => ({}))
  return { ...answer, status: response.status }
}

function written(name) {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(env, 'utf8'))?.[1] ?? ''
}

/** What a request as Mastodon's key makes it is answered with. */
async function s3(command) {
  const client = new S3Client({
    endpoint: written('S3_ENDPOINT'),
    region: 'auto',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: {
      accessKeyId: written('AWS_ACCESS_KEY_ID'),
      secretAccessKey: written('AWS_SECRET_ACCESS_KEY'),
    },
  })
  try {
    const { $metadata, PartsCount, ContentRange, Contents } = await client.send(command)
    return { status: $metadata.httpStatusCode, PartsCount, ContentRange, Contents }
  } catch (error) {
    return { status: error.$metadata?.httpStatusCode ?? null, code: error.name }
  } finally {
    client.destroy()
  }
}

function visit(url, headers) {
  const [, , , address, port] =
    /^(\S*?):(\S*?):(\S+):(\d+)$/.exec(environment.MASTODON_R2_CONNECT_TO ?? '') ?? []
  const to =
    address === undefined ? {} : { hostname: address, port: Number(port), servername: host }
  const ca = sandbox && { ca: readFileSync(environment.NODE_EXTRA_CA_CERTS) }
  return new Promise((done, refuse) => {
    const asked = request(
      url,
      { ...to, ...ca, headers: { host, ...headers }, timeout: 30_000 },
      (response) => {
        response.resume()
        const { 'access-control-allow-origin': allowed, 'cf-cache-status': cache } =
          response.headers
        const told = { origin: 'origin' in headers, status: response.statusCode, allowed, cache }
        response.on('end', () => done({ ...told, vary: response.headers.vary }))
      },
    )
    asked.on('error', refuse)
    asked.end()
  })
}

/** Removes what is left of this run by its random name, and gives what could not be removed. */
async function cleanUp() {
  const left = []
  const buckets = `/accounts/${account}/r2/buckets`
  for (const name of [bucket, other]) {
    const { Contents = [] } =
      name === bucket ? await s3(new ListObjectsV2Command({ Bucket: name })).catch(() => ({})) : {}
    for (const { Key } of Contents) await s3(new DeleteObjectCommand({ Bucket: name, Key }))
    await call('DELETE', `${buckets}/${name}/domains/custom/${host}`).catch(() => undefined)
    await call('DELETE', `${buckets}/${name}`).catch(() => undefined)
    const { status } = await call('GET', `${buckets}/${name}`).catch(() => ({ status: 0 }))
    if (status !== 404) left.push(`bucket ${name}`)
  }
  const tokens = `/accounts/${account}/tokens`
  for (const { id, name } of await allTokens(tokens)) {
    if (!name.includes(bucket)) continue
    const { status } = await call('DELETE', `${tokens}/${id}`).catch(() => ({ status: 0 }))
    if (status !== 200) left.push(`API token ${name}`)
  }
  return left
}

async function allTokens(path) {
  const found = []
  for (let page = 1; ; page++) {
    const query = `per_page=50&page=${page}&include_expired=true`
    const { result } = await call('GET', `${path}?${query}`).catch(() => ({}))
    found.push(...(result ?? []))
    if ((result ?? []).length < 50) return found
  }
}

/** The facts without whose they are. */
function hidden(text) {
  return text
    .replaceAll(environment.CLOUDFLARE_API_TOKEN ?? '\0', 'TOKEN')
    .replaceAll(account, 'ACCOUNT')
    .replaceAll(mark, 'MARK')
    .replaceAll(zone, 'ZONE')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'ID')
}

async function startSandbox() {
  const child = spawn(process.execPath, [cli, 'sandbox', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [told] = await once(child.stdout, 'data')
  const { cloudflareApiUrl, s3EndpointUrls, connectTo, apiToken, caFile } = JSON.parse(told)
  const answer = await fetch(`${cloudflareApiUrl}/accounts`, {
    headers: { authorization: `Bearer ${apiToken}` },
  })
  const {
    result: [{ id }],
  } = await answer.json()
  return {
    environment: {
      CLOUDFLARE_API_TOKEN: apiToken,
      CLOUDFLARE_ACCOUNT_ID: id,
      CLOUDFLARE_BASE_URL: cloudflareApiUrl,
      MASTODON_R2_S3_ENDPOINT_URL: s3EndpointUrls.default,
      MASTODON_R2_CONNECT_TO: connectTo.join(','),
      MASTODON_R2_LIVE_ZONE: 'example.com',
      NODE_EXTRA_CA_CERTS: caFile,
    },
    async close() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
