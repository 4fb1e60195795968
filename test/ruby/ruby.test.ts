import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { lendEmulator } from '../fakes/lent-emulator.ts'
import { edited } from '../services/mastodon/env-fixtures.ts'
import { rubyMissing, runRuby } from './ruby.ts'

const BUCKET = 'social-example-media'

interface RoundTrip {
  readonly key: string
  readonly url: string
  readonly parts: number
}

interface Report {
  readonly ok: boolean
  readonly error?: string
  readonly small: RoundTrip
  readonly large: RoundTrip
  readonly batch: { readonly deleted: boolean }
  readonly requests: readonly {
    readonly operation: string
    readonly status: number
    readonly headers: readonly string[]
    readonly checksumMode: string | null
    /** `?partNumber=` of a read. */
    readonly part: string | null
  }[]
}

describe.skipIf(rubyMissing)(`Mastodon's own uploader ${rubyMissing ?? ''}`, () => {
  let sandbox: Sandbox
  let folder: string
  let report: Report

  beforeAll(async () => {
    sandbox = await startSandbox({
      keyMs: 0,
      domainMs: 0,
      emulator: 'eager',
      startEmulator: lendEmulator,
    })
    folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-ruby-'))
    await call('r2/buckets', { name: BUCKET })
    report = (await upload(await envFile(await mintKey()))) as Report
    if (!report.ok) throw new Error(JSON.stringify(report))
  }, 120_000)

  afterAll(async () => {
    await sandbox?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  async function call<T>(path: string, body: unknown): Promise<T> {
    const url = `${sandbox.apiUrl}/accounts/${sandbox.accountId}/${path}`
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.bootstrapToken.reveal()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    const { success, result, errors } = (await response.json()) as {
      success: boolean
      result: T
      errors: unknown
    }
    if (!success) throw new Error(JSON.stringify(errors))
    return result
  }

  function mintKey() {
    const group = { id: '2efd5506f9c8494dacb1fa10a3e7d5b6' }
    const resource = `com.cloudflare.edge.r2.bucket.${sandbox.accountId}_default_${BUCKET}`
    return call<{ id: string; value: string }>('tokens', {
      name: 'ruby',
      policies: [{ effect: 'allow', permission_groups: [group], resources: { [resource]: '*' } }],
    })
  }

  /** What init writes into a fresh file, with the sandbox's endpoint. */
  async function envFile({ id, value }: { id: string; value: string }): Promise<string> {
    const secret = createHash('sha256').update(value).digest('hex')
    const path = join(folder, `${id}.env.production`)
    const text = edited('LOCAL_DOMAIN=social.example\n')
      .replace(/^S3_ENDPOINT=.*$/m, `S3_ENDPOINT=${sandbox.s3Url()}`)
      .replace(/^AWS_ACCESS_KEY_ID=.*$/m, `AWS_ACCESS_KEY_ID=${id}`)
      .replace(/^AWS_SECRET_ACCESS_KEY=.*$/m, `AWS_SECRET_ACCESS_KEY=${secret}`)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }

  const upload = (path: string) => runRuby('upload.rb', [path])

  it.each(['small', 'large'] as const)('uploads, reads and deletes a %s file', (size) => {
    expect(report[size]).toMatchObject({
      contentType: 'image/png',
      cacheControl: 'public, max-age=315576000, immutable',
      readBack: true,
      presigned: 200,
      presignedSame: true,
      deleted: true,
    })
  })

  it('stores under the keys and URLs that Mastodon uses', () => {
    expect(report.small.key).toMatch(
      /^media_attachments\/files\/000\/000\/001\/original\/\w+\.png$/,
    )
    expect(report.large.key).toContain('/123/456/789/012/345/678/')
    expect(report.small.url).toBe(`https://files.social.example/${report.small.key}`)
  })

  it('sends the large file in parts of 5 MiB, the small one in one', () => {
    expect([report.small.parts, report.large.parts]).toEqual([0, 4])
  })

  it('deletes many at once', () => {
    expect(report.batch).toEqual({ deleted: true })
  })

  it('never sends an ACL', () => {
    const headers = new Set(report.requests.flatMap((request) => request.headers))
    expect(headers).toContain('cache-control')
    expect([...headers].filter((name) => name.includes('acl'))).toEqual([])
  })

  it('sends a CRC32 with each upload', () => {
    const puts = report.requests.filter(({ operation }) =>
      /^(put_object|upload_part)$/.test(operation),
    )
    expect(puts.map(({ headers }) => headers.includes('x-amz-checksum-crc32'))).toEqual(
      Array(7).fill(true),
    )
  })

  // aws-sdk-s3 1.239 drops the `checksum_mode: DISABLED` that Mastodon gives (file_downloader.rb).
  it('asks for checksums with each download, whatever Mastodon says', () => {
    // Presigned requests are built, but sent by others.
    const gets = report.requests.filter(
      ({ operation, headers }) => operation === 'get_object' && headers.includes('x-amz-date'),
    )
    expect(new Set(gets.map(({ checksumMode }) => checksumMode))).toEqual(new Set(['ENABLED']))
  })

  it('begins each download with HEAD ?partNumber=1, and fetches by parts what came in parts', () => {
    const asked = (operation: string) =>
      report.requests.filter((request) => request.operation === operation && request.part !== null)
    expect(asked('head_object').map(({ part }) => part)).toEqual(['1', '1'])
    expect(
      asked('get_object')
        .map(({ part }) => part)
        .sort(),
    ).toEqual(['1', '2', '3', '4'])
  })

  it('needs S3_FORCE_SINGLE_REQUEST=true where reads by part number are refused', async () => {
    const other = await startSandbox({
      keyMs: 0,
      domainMs: 0,
      refusesParts: true,
      emulator: 'eager',
    })
    try {
      const own = sandbox
      sandbox = other
      await call('r2/buckets', { name: BUCKET })
      const path = await envFile(await mintKey())
      sandbox = own
      const refused = (await upload(path)) as Report
      expect([refused.ok, refused.error]).toEqual([false, 'Aws::S3::Errors::Http501Error'])
      await appendFile(path, 'S3_FORCE_SINGLE_REQUEST=true\n')
      const forced = (await upload(path)) as Report
      expect(forced).toMatchObject({
        ok: true,
        small: { readBack: true },
        large: { readBack: true },
      })
    } finally {
      await other.close()
    }
  }, 120_000)

  it('has every request answered as it hoped, but for the look at what was deleted', () => {
    const refused = report.requests.filter(({ status }) => status >= 400)
    expect(refused.filter(({ operation }) => operation !== 'head_object')).toEqual([])
  })

  it('is refused with a wrong secret, which it does not show', async () => {
    const path = await envFile({ ...(await mintKey()), value: 'wrong' })
    const answer = await upload(path)
    expect(answer).toMatchObject({ ok: false, error: 'Aws::S3::Errors::SignatureDoesNotMatch' })
    const secret = /^AWS_SECRET_ACCESS_KEY=(.+)$/m.exec(await readFile(path, 'utf8'))?.[1] ?? ''
    expect(secret).toHaveLength(64)
    expect(JSON.stringify(answer)).not.toContain(secret)
  })
})
