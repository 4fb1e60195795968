import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mastodon } from '../../../src/sandbox/mastodon/mastodon.ts'
import type { NotedCall } from '../../../src/sandbox/mastodon/programs.ts'
import type { Upload } from '../../../src/sandbox/mastodon/uploads.ts'
import { sha256Hex } from '../../../src/sandbox/r2/authenticate.ts'
import type { Sandbox } from '../../../src/sandbox/sandbox.ts'
import { sender } from '../r2/sign.ts'
import { addBucket, ITEM_WRITE, type TestKey } from '../r2/stand.ts'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of the Mastodon as a person would who has put `bin` in front of PATH. */
export function call(mastodon: Mastodon, line: string): Promise<Ended> {
  const [program = '', ...args] = line.split(' ')
  const env = {
    ...process.env,
    PATH: `${mastodon.bin}:${process.env.PATH}`,
    RAILS_ENV: 'production',
  }
  return new Promise((resolve) => {
    execFile(
      program === 'bin/tootctl' ? join(mastodon.dir, program) : program,
      args,
      { cwd: mastodon.dir, env, timeout: 30_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
  })
}

export function calls(mastodon: Mastodon): NotedCall[] {
  return lines<NotedCall>(mastodon.calls)
}

export function uploads(mastodon: Mastodon): Upload[] {
  return lines<Upload>(mastodon.uploads)
}

function lines<T>(path: string): T[] {
  const whole = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return whole.map((line) => JSON.parse(line) as T)
}

/** Waits until something is so; fails with the words after 20 s. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) if (isSo()) return
  throw new Error(`It never came to pass: ${what}.`)
}

/** A bucket called `media` with a key for it. */
export function bucketWithKey({ world, accountId }: Sandbox): TestKey {
  addBucket(world, 'media', { accountId })
  const value = `cfat_${randomBytes(20).toString('hex')}`
  const resources = { [`com.cloudflare.edge.r2.bucket.${accountId}_default_media`]: '*' }
  const token = {
    id: randomBytes(16).toString('hex'),
    name: 'Mastodon',
    value,
    kind: 'account' as const,
    accountId,
    status: 'active' as const,
    policies: [{ effect: 'allow', permission_groups: [{ id: ITEM_WRITE }], resources }],
    condition: undefined,
    expiresOn: undefined,
    issuedAt: 0,
  }
  world.tokens.push(token)
  return { token, credentials: { accessKeyId: token.id, secretAccessKey: sha256Hex(value) } }
}

/** What `init` writes when it switches. */
export function switchOn({ dir }: Mastodon, sandbox: Sandbox, { credentials }: TestKey): void {
  const endpoint = `https://${sandbox.accountId}.r2.cloudflarestorage.com`
  const block = `S3_ENABLED=true
S3_BUCKET=media
S3_REGION=auto
S3_ENDPOINT=${endpoint}
S3_PROTOCOL=https
S3_PERMISSION=
S3_ALIAS_HOST=files.example.com
AWS_ACCESS_KEY_ID=${credentials.accessKeyId}
AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}
`
  appendFileSync(join(dir, '.env.production'), block)
}

/** Size and MD5 by key. */
export async function objectsOf(sandbox: Sandbox, key: TestKey): Promise<Map<string, string>> {
  const { body } = await sender(key, () => sandbox.s3Url())({
    path: '/media',
    query: { 'list-type': '2' },
  })
  const entries = body.matchAll(/<Key>(.*?)<\/Key>.*?<ETag>(?:&quot;|")?([0-9a-f]+)/gs)
  return new Map([...entries].map(([, name = '', etag = '']) => [name, etag]))
}
