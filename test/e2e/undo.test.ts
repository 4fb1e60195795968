import { readdirSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { ENV, LOCAL_DOMAIN } from './machine.ts'
import { keysOf, openStage } from './stage.ts'
import { settingsOf, storageLines } from './storage-lines.ts'
import { backups, GONE, own, undone } from './undone.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

const ALL = ['--detach-domain', '--delete-empty-bucket']
const WASABI = `${LOCAL_DOMAIN}# storage
S3_ENABLED=true
S3_BUCKET=old
S3_BUCKET='media of ours' # the last one wins
S3_REGION=eu-central-1
S3_ENDPOINT=https://s3.wasabisys.com
S3_STORAGE_CLASS=STANDARD_IA
AWS_ACCESS_KEY_ID=WASABI0000000000
AWS_SECRET_ACCESS_KEY=old/secret
DB_HOST=db
`

const { setUp, undo, leftOf } = undone(stage)

describe.concurrent('undo after a fresh init', () => {
  test.each([
    { name: 'crlf', before: 'LOCAL_DOMAIN=social.example.com\r\nSMTP_PORT=25\r\n' },
    { name: 'empty', before: '' },
    { name: 'wasabi', before: WASABI, more: ['--existing-media', 'switch'] },
  ])('$name: with all flags everything is as before', async ({ name, before, more }) => {
    const { at } = await setUp(name, before, more)
    const set = at.read()
    const { code, changed, report } = await undo(at, ALL)
    expect({ code, problem: report.problem }).toEqual({ code: 0, problem: null })
    expect(changed).toEqual(['env-file', 'access-keys', 'cors', 'media-domain', 'bucket'])
    expect(at.read()).toBe(before)
    expect(leftOf(name)).toEqual(GONE)
    expect(at.read(report.env?.backup?.split('/').at(-1))).toBe(set)
  })

  test.each([
    {
      name: 'swift',
      lines: 'SWIFT_ENABLED=true\nSWIFT_OBJECT_URL=https://swift.example.net/v1/media\n',
      host: 'swift.example.net',
    },
    {
      name: 'azure',
      lines:
        'AZURE_ENABLED=true\nAZURE_STORAGE_ACCOUNT=ours\nEXTRA_MEDIA_HOSTS=https://x.example\n',
      host: 'ours.blob.core.windows.net',
    },
  ])('$name: its host is no longer named beside the media host', async ({ name, lines, host }) => {
    const before = LOCAL_DOMAIN + lines
    const { at } = await setUp(name, before, ['--existing-media', 'switch'])
    expect(settingsOf(at.read()).EXTRA_MEDIA_HOSTS).toContain(`https://${host}`)
    const { report } = await undo(at, ALL)
    expect(at.read()).toBe(before)
    expect(report.env?.changed).toContain('EXTRA_MEDIA_HOSTS')
  })

  test('a second one finds nothing, and a new init works', async () => {
    const { at, host, bucket } = await setUp('again')
    expect((await undo(at, ALL)).code).toBe(0)
    const files = at.files()
    const second = await stage.initHere(at, ['undo', '--yes', ...ALL])
    expect(second.code).toBe(0)
    expect(second.stdout).toContain('Nothing is left to take back.')
    expect(at.files()).toEqual(files)
    expect((await stage.initHere(at, own('again').args)).code).toBe(0)
    expect(settingsOf(at.read())).toEqual({
      ...settingsOf(LOCAL_DOMAIN),
      ...storageLines(stage, { bucket, host }),
    })
    expect((await undo(at, ALL)).code).toBe(0)
    expect(at.read()).toBe(LOCAL_DOMAIN)
    expect(leftOf('again')).toEqual(GONE)
  }, 120_000)

  test('without flags domain and bucket stay, and the next one can take them', async () => {
    const { at, host, bucket } = await setUp('kept')
    const { code, stdout } = await stage.init(at, ['undo', '--yes'])
    expect(code).toBe(0)
    expect(stdout).toContain('add --detach-domain to remove it')
    expect(stdout).toContain('add --delete-empty-bucket to remove it')
    expect(stdout).toMatch(
      new RegExp(`undo .*--media-host ${host} .*--detach-domain --delete-empty-bucket --yes`),
    )
    expect(at.read()).toBe(LOCAL_DOMAIN)
    expect(leftOf('kept')).toMatchObject({
      keys: 0,
      bucket: true,
      cors: undefined,
      domains: [host],
    })
    const { changed } = await undo(at, ['--delete-empty-bucket'])
    expect({ changed, bucket: leftOf('kept').bucket }).toEqual({ changed: [], bucket: true })
    expect((await undo(at, ALL)).changed).toEqual(['media-domain', 'bucket'])
    expect(leftOf('kept')).toEqual(GONE)
    expect(bucket).toBe('kept-media')
  })

  test('a dry run changes nothing, and shows the lines without their secrets', async () => {
    const { at } = await setUp('dry')
    const [files, left] = [at.files(), leftOf('dry')]
    const [key] = keysOf(stage.sandbox, 'dry-media')
    const { code, stdout } = await stage.initHere(at, ['undo', '--dry-run', ...ALL])
    expect(code).toBe(0)
    expect(stdout).toContain('- S3_BUCKET=dry-media')
    expect(stdout).toMatch(/DELETE +Custom domain: detach dry\.example\.com/)
    expect(stdout).not.toContain(key?.secret)
    expect(at.files()).toEqual(files)
    expect(leftOf('dry')).toEqual(left)
  })

  test('nobody agreed: nothing changes', async () => {
    const { at } = await setUp('unasked')
    const files = at.files()
    const { code, stdout } = await stage.initHere(at, ['undo'])
    expect(code).toBe(2)
    expect(stdout).toContain('--yes')
    expect(at.files()).toEqual(files)
    expect(leftOf('unasked').keys).toBe(1)
  })
})

describe.concurrent('undo of an env file', () => {
  test('that the admin changed since: only our lines go back', async () => {
    const { at } = await setUp('edited', WASABI, ['--existing-media', 'switch'])
    const ours = at.read()
    at.write(ENV, `# mine\n${ours.replace('DB_HOST=db', 'DB_HOST=other')}SMTP_PORT=25\n`)
    const { code, report } = await undo(at, ALL)
    expect({ code, problem: report.problem }).toEqual({ code: 0, problem: null })
    expect(at.read()).toBe(`# mine\n${WASABI.replace('DB_HOST=db', 'DB_HOST=other')}SMTP_PORT=25\n`)
    expect(leftOf('edited')).toEqual(GONE)
  })

  test('that init made: it is put aside', async () => {
    const { host, bucket } = own('made')
    const at = stage.machine()
    const place = ['--mastodon-env', 'new.env']
    const args = ['--media-host', host, '--bucket', bucket, ...place]
    expect((await stage.initHere(at, args)).code).toBe(0)
    const made = at.read('new.env')
    const { code, report } = await undo(at, [...ALL, ...place])
    expect(code).toBe(0)
    expect(readdirSync(at.dir)).not.toContain('new.env')
    expect(at.read(report.env?.backup?.split('/').at(-1))).toBe(made)
    expect(leftOf('made')).toEqual(GONE)
  })

  test('prepared beside the one of another provider', async () => {
    const { at } = await setUp('beside', WASABI, ['--existing-media', 'prepare'])
    const { code, changed } = await undo(at, ALL)
    expect({ code, changed }).toEqual({
      code: 0,
      changed: ['prepared-file', 'access-keys', 'cors', 'media-domain', 'bucket'],
    })
    expect(at.read()).toBe(WASABI)
    expect(readdirSync(at.dir)).not.toContain(`${ENV}.r2`)
    expect(leftOf('beside')).toEqual(GONE)
  })

  test('prepared beside another bucket in use: that one stays', async () => {
    const { at } = await setUp('busy')
    const { args } = own('spare')
    const used = at.read()
    expect((await stage.initHere(at, [...args, '--existing-media', 'prepare'])).code).toBe(0)
    expect((await undo(at, [...ALL, ...args])).code).toBe(0)
    expect([at.read(), keysOf(stage.sandbox, own('busy').bucket).length]).toEqual([used, 1])
    expect(leftOf('spare')).toEqual(GONE)
  })

  test('after two runs of init: back to before the first', async () => {
    const { at, bucket } = await setUp('twice')
    const other = ['--media-host', 'twice-b.example.com', '--bucket', bucket]
    expect((await stage.initHere(at, other)).code).toBe(0)
    expect(backups(at)).toHaveLength(2)
    const { report } = await undo(at, ALL)
    expect(at.read()).toBe(LOCAL_DOMAIN)
    const stays = report.steps.filter(({ status }) => status === 'skipped')
    expect(stays.map(({ id }) => id)).toEqual(['bucket'])
    expect(stays[0]?.note).toContain('it serves twice.example.com')
  })

  test('written by hand: it stays, and so does its key', async () => {
    const { at } = await setUp('byhand')
    const byHand = stage.machine(at.read().replaceAll(/^#.*\n/gm, ''))
    const [key] = stage.sandbox.world.tokens.filter(({ name }) => name.includes('byhand-media '))
    if (key) key.name = 'Mastodon uploads'
    const before = byHand.read()
    const { code, report, stays } = await undo(byHand, [])
    expect(code).toBe(0)
    expect(stays).toContain('env-file')
    expect(byHand.read()).toBe(before)
    expect(report.warnings.join(' ')).toContain('not made by this tool')
    expect(stage.sandbox.world.tokens).toContain(key)
  })
})

describe.concurrent('undo while Mastodon uses the bucket', () => {
  async function inUse(name: string) {
    const made = await setUp(name)
    const [key] = keysOf(stage.sandbox, made.bucket)
    const { connectS3 } = await import('../../src/services/s3/client.ts')
    const { Secret } = await import('../../src/core/secret.ts')
    const s3 = connectS3({
      endpoint: stage.sandbox.s3Url(),
      bucket: made.bucket,
      key: { accessKeyId: key?.id ?? '', secretAccessKey: new Secret(key?.secret ?? '') },
    })
    const options = { contentType: 'text/plain', cacheControl: 'no-store' }
    await s3.put('accounts/avatars/1.txt', new Uint8Array(4), options)
    return made
  }

  test('the domain is refused before anything changes', async () => {
    const { at, host } = await inUse('used')
    const files = at.files()
    stage.forget()
    const { code, report } = await undo(at, ALL)
    expect(code).toBe(2)
    expect(report.problem?.code).toBe('undo-in-use')
    expect(report.problem?.next).toContain('--even-if-in-use')
    expect(at.files()).toEqual(files)
    expect(leftOf('used')).toMatchObject({ keys: 1, domains: [host] })
  })

  test('the env file goes back with a warning, the key stays', async () => {
    const { at, host } = await inUse('warned')
    const { code, stays, report } = await undo(at, [])
    expect(code).toBe(0)
    expect(stays).toEqual(['access-keys', 'media-domain', 'bucket'])
    expect(report.warnings.join(' ')).toContain('to the disk of this server')
    expect(at.read()).toBe(LOCAL_DOMAIN)
    expect(leftOf('warned')).toMatchObject({ keys: 1, domains: [host] })
  })

  test('with the flag all goes but the bucket, which is not empty', async () => {
    const { at } = await inUse('forced')
    const { code, stays } = await undo(at, [...ALL, '--even-if-in-use'])
    expect({ code, stays }).toEqual({ code: 0, stays: ['bucket'] })
    expect(leftOf('forced')).toMatchObject({ keys: 0, bucket: true, domains: [], records: 0 })
  })
})

test('interrupted at each request that changes something, and run again', async () => {
  const writes = ['/tokens/', '/cors', '/domains/custom/', '/r2/buckets/cut-']
  for (const [index, path] of writes.entries()) {
    const name = `cut-${index}`
    const { at } = await setUp(name)
    const fault = { side: 'api', method: 'DELETE', kind: 'status', status: 400 } as const
    const where = path.endsWith('cut-') ? `${path}${index}-media` : path
    stage.sandbox.faults.add({ ...fault, path: where })
    const first = await undo(at, ALL)
    stage.sandbox.faults.clear()
    expect({ path, code: first.code }).toEqual({ path, code: 1 })
    expect(at.read()).toBe(LOCAL_DOMAIN)
    const second = await undo(at, ALL)
    expect({ path, code: second.code, left: leftOf(name) }).toEqual({ path, code: 0, left: GONE })
    expect(at.read()).toBe(LOCAL_DOMAIN)
  }
}, 120_000)

test('nothing here tells of a setup', async () => {
  const at = stage.machine()
  const { code, report } = await undo(at, [])
  expect({ code, problem: report.problem?.code }).toEqual({ code: 2, problem: 'nothing-to-undo' })
})
