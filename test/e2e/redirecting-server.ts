import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import type { Report } from '../../src/plan/report.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { ENV, type Machine } from './machine.ts'
import type { Ended, RunOptions } from './program.ts'
import { remember } from './remembered.ts'
import { keysOf, openStage } from './stage.ts'

const INSTANCE = 'social.example.com'

const PHASE = 'http_request_dynamic_redirect'
const THEIRS = {
  id: 'e'.repeat(32),
  ref: 'theirs',
  description: 'Theirs',
  expression: 'http.host eq "other.example.com"',
  action: 'redirect',
  parameters: { from_value: { target_url: { value: 'https://x.example/' }, status_code: 308 } },
  enabled: true,
  version: 1,
  updatedAt: 0,
}

/** A Mastodon that stores on R2, with old media on its disk and in the bucket. */
export async function openRedirectingServer() {
  const stage = await openStage({ emulator: 'eager', mastodon: { media: 40, bootMs: 50 } })
  const { sandbox } = stage
  const { mastodon } = sandbox
  if (!mastodon) throw new Error('The sandbox has no Mastodon.')
  const at: Machine = { ...stage.machine(), dir: mastodon.dir }
  const ended = await stage.initHere(at, [
    '--media-host',
    'files.example.com',
    '--existing-media',
    'switch',
  ])
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  const folder = join(mastodon.dir, 'public/system')
  const keys = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((key) => !key.startsWith('.'))
  const s3 = bucketOf(sandbox)
  const aside = `${folder}-aside`
  const envText = () => readFileSync(join(mastodon.dir, ENV), 'utf8')
  const [own, text] = [readdirSync(mastodon.dir), envText()]
  const cloudflareBack = remember(sandbox)
  /** As if all of Mastodon had been restarted since. */
  const restarted = (at = new Date(0)) => utimesSync(join(mastodon.dir, ENV), at, at)
  restarted()
  const stored = async () => {
    const there: string[] = []
    for await (const page of s3.pages()) there.push(...page.map(({ key }) => key))
    return there
  }

  return {
    stage,
    sandbox,
    at,
    /** As it was opened, with all of the old media in the bucket. */
    async back() {
      cloudflareBack()
      for (const name of readdirSync(mastodon.dir)) {
        if (!own.includes(name)) rmSync(join(mastodon.dir, name), { recursive: true })
      }
      writeFileSync(join(mastodon.dir, ENV), text)
      restarted()
      if (existsSync(aside)) renameSync(aside, folder)
      const there = new Set(await stored())
      for (const key of keys.filter((one) => !there.has(one))) {
        const body = readFileSync(join(folder, key))
        await s3.put(key, body, { contentType: 'image/png', cacheControl: 'public' })
      }
      stage.forget()
    },
    /** The settings have changed after all of Mastodon began. */
    notRestarted: () => restarted(new Date(Date.now() + 5_000)),
    /** Mastodon stores on its disk again. */
    offR2: () =>
      writeFileSync(join(mastodon.dir, ENV), text.replace('S3_ENABLED=true', 'S3_ENABLED=false')),
    emptyBucket: () => s3.deleteMany(keys),
    /** The env file as it was at a time such as `20260101T100000Z`. */
    backup(at: string, text: string) {
      writeFileSync(`${mastodon.dir}/${ENV}.mastodon-r2-${at}.bak`, text)
    },
    envText,
    /** As months later, when the old files were removed. */
    forgetDisk: () => renameSync(folder, aside),
    /** A redirect of somebody else's, in the same place as ours. */
    addTheirs() {
      const { rulesets } = sandbox.world.edge
      const found = rulesets.find(({ phase }) => phase === PHASE)
      if (found) return void found.rules.push(structuredClone(THEIRS))
      const owner = sandbox.world.zones[0]?.id ?? ''
      const words = { name: 'default', description: '', version: 1, updatedAt: 0 }
      rulesets.push({
        id: 'd'.repeat(32),
        owner,
        kind: 'zone',
        phase: PHASE,
        rules: [structuredClone(THEIRS)],
        ...words,
      })
    },
    redirects: (
      args: readonly string[] = ['--yes'],
      extra: Partial<RunOptions> = {},
    ): Promise<Ended> => stage.init(at, ['redirects', ...args], extra),
    /** The same inside this process. */
    redirectsHere: (
      args: readonly string[] = ['--yes'],
      extra: Pick<RunOptions, 'env' | 'input'> = { env: {} },
    ): Promise<Ended> => stage.initHere(at, ['redirects', ...args], extra),
    async report(args: readonly string[] = ['--yes']): Promise<Report & { code: number | null }> {
      const { code, stdout, stderr } = await stage.initHere(at, ['redirects', '--json', ...args])
      expect(stdout, stderr).toMatch(/^\{/)
      return { ...(JSON.parse(stdout) as Report), code }
    },
    /** Every rule and redirect at the edge, as `phase ref status`. */
    rules: () =>
      sandbox.world.edge.rulesets.flatMap(({ phase, rules }) =>
        rules.map(({ ref, parameters }) => {
          const { status_code: status } = (parameters.from_value ?? {}) as { status_code?: number }
          return [phase.split('_').slice(2).join('_'), ref, status].filter(Boolean).join(' ')
        }),
      ),
    items: () =>
      sandbox.world.edge.lists.flatMap(({ name, items }) =>
        items.map(({ sourceUrl, targetUrl, status }) => {
          return `${name} ${sourceUrl} ${targetUrl} ${status}`
        }),
      ),
    proxied(on: boolean) {
      const { dnsRecords } = sandbox.world
      for (const [index, record] of dnsRecords.entries()) {
        if (record.name === INSTANCE) dnsRecords[index] = { ...record, proxied: on }
      }
    },
    close: () => stage.close(),
  }
}

function bucketOf(sandbox: Sandbox) {
  const [key] = keysOf(sandbox)
  if (!key) throw new Error('There is no key.')
  const s3Key = { accessKeyId: key.id, secretAccessKey: new Secret(key.secret) }
  const bucket = sandbox.world.buckets[0]?.name ?? ''
  return connectS3({ endpoint: sandbox.s3Url(), bucket, key: s3Key })
}
