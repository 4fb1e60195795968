import { afterAll, describe, expect, test } from 'vitest'
import { parseConnectTo } from '../../src/core/connect-to.ts'
import { Secret } from '../../src/core/secret.ts'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import { connectPublicWeb } from '../../src/services/public-web/client.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { presign } from '../sandbox/r2/sign.ts'
import type { Machine } from './machine.ts'
import { remember } from './remembered.ts'
import { HOST, openStage } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())
const { world, faults } = stage.sandbox
const web = connectPublicWeb({
  connectTo: stage.sandbox.connectTo.flatMap((text) => parseConnectTo(text) ?? []),
  ca: stage.sandbox.caPem,
})
const init = ['--media-host', HOST]
const edge = [...init, '--edge', 'recommended']
const OURS = [
  'mastodon-r2-security-headers-files_example_com',
  'mastodon-r2-cache-everything-files_example_com',
  'mastodon-r2-private-folders-files_example_com',
]

async function run(at: Machine, args: readonly string[]) {
  const { code, stdout } = await stage.initHere(at, [...args, '--json'])
  return { code, report: reportSchema.parse(JSON.parse(stdout)) }
}

const statusOf = ({ steps }: Report, id: string) => steps.find((step) => step.id === id)?.status
const severities = ({ checks }: Report) =>
  Object.fromEntries(checks.map(({ id, severity }) => [id, severity]))
const refs = () => world.edge.rulesets.flatMap(({ rules }) => rules.map(({ ref }) => ref))

/** Cloudflare and a machine as they are after a run; each call gives a machine of its own. */
async function prepared(args: readonly string[]): Promise<() => Machine> {
  const at = stage.machine()
  expect((await run(at, args)).code).toBe(0)
  const text = at.read()
  const back = remember(stage.sandbox)
  return () => {
    back()
    return stage.machine(text)
  }
}

const empty = remember(stage.sandbox)
const withRules = await prepared(edge)
empty()
const withoutRules = await prepared(init)

describe('init --edge', () => {
  test('without it no rule is looked at, and check offers each one', async () => {
    empty()
    const at = stage.machine()
    const before = stage.sandbox.log.length
    const { code, report } = await run(at, init)
    expect({
      code,
      edge: report.steps.filter(({ id }) => /headers|folders|cache/.test(id)),
    }).toEqual({
      code: 0,
      edge: [],
    })
    const asked = stage.sandbox.log.slice(before).map(({ path }) => path)
    expect(asked.filter((path) => path.includes('/rulesets/'))).toEqual([])
    const checked = await run(at, ['check'])
    expect(checked.code).toBe(0)
    const next = checked.report.checks.map((check) => check.next ?? '')
    for (const name of ['security-headers', 'cache-everything', 'private-folders']) {
      expect(next.some((line) => line.includes(` --edge ${name}`))).toBe(true)
    }
  })

  test('the rules are seen by a stranger; a second run changes nothing', async () => {
    const at = withoutRules()
    expect((await run(at, edge)).code).toBe(0)
    expect(refs()).toEqual(OURS)
    const checked = await run(at, ['check'])
    expect(severities(checked.report)).toMatchObject({
      'public-shields': 'ok',
      'public-private-folders': 'ok',
      'public-cached-404': 'ok',
      'cloudflare-edge-rules': 'ok',
    })
    stage.forget()
    const { stdout } = await stage.initHere(at, edge)
    expect(stdout).toContain('All is set up already; nothing was changed.')
    expect(stage.writes()).toEqual([])
  })

  test('archives are refused on the media host, not by signed links; a film is cached', async () => {
    const at = withRules()
    const {
      AWS_ACCESS_KEY_ID: id = '',
      AWS_SECRET_ACCESS_KEY: secret = '',
      S3_BUCKET: bucket = '',
    } = settingsOf(at.read())
    const key = { accessKeyId: id, secretAccessKey: new Secret(secret) }
    const path = 'backups/dumps/000/000/001/original/archive.zip'
    const s3 = connectS3({ endpoint: stage.sandbox.s3Url(), bucket, key })
    await s3.put(path, new TextEncoder().encode('archive'), {
      contentType: 'application/zip',
      cacheControl: 'private',
    })
    expect((await web.fetch(`https://${HOST}/${path}`)).status).toBe(403)
    const credentials = { accessKeyId: id, secretAccessKey: secret }
    const link = presign(stage.sandbox.s3Url(), {
      key: { credentials } as Parameters<typeof presign>[1]['key'],
      path: `/${bucket}/${path}`,
      expires: 60,
    })
    const answer = await fetch(link)
    expect([answer.status, await answer.text()]).toEqual([200, 'archive'])
    // By default only known extensions are cached, and this is none of them.
    await s3.put('film.mov', new Uint8Array(9), {
      contentType: 'video/quicktime',
      cacheControl: '',
    })
    const film = await web.fetch(`https://${HOST}/film.mov`)
    expect([film.status, film.header('cf-cache-status')]).toEqual([200, ['MISS']])
    await Promise.all([path, 'film.mov'].map((key) => s3.delete(key)))
  })

  test('--edge-ttl: media leaves the cache after that, and browsers are told as before', async () => {
    const at = withRules()
    const short = [...edge, '--edge-ttl', '30d']
    expect((await run(at, short)).code).toBe(0)
    const own = settingsOf(at.read())
    const key = {
      accessKeyId: own.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: new Secret(own.AWS_SECRET_ACCESS_KEY ?? ''),
    }
    const s3 = connectS3({ endpoint: stage.sandbox.s3Url(), bucket: own.S3_BUCKET ?? '', key })
    const control = 'public, max-age=315576000, immutable'
    await s3.put('short.png', new Uint8Array(9), {
      contentType: 'image/png',
      cacheControl: control,
    })
    const answer = await web.fetch(`https://${HOST}/short.png`)
    expect(answer.header('cache-control')).toEqual([control])
    const kept = [...world.edge.cached.values()].find(({ url }) => url === '/short.png')
    expect(Math.round(((kept?.until ?? 0) - (kept?.since ?? 0)) / 86_400_000)).toBe(30)
    await s3.delete('short.png')
    // No error is kept for so long.
    expect((await web.fetch(`https://${HOST}/nothing.png`)).status).toBe(404)
    expect([...world.edge.missing.keys()].filter((name) => name.includes('nothing.png'))).toEqual(
      [],
    )
  })

  test('a later run and check take the chosen time as it is; origin takes it back', async () => {
    const at = withRules()
    expect((await run(at, [...edge, '--edge-ttl', '30d'])).code).toBe(0)
    stage.forget()
    expect((await run(at, edge)).code).toBe(0)
    expect(stage.writes().filter(({ path }) => path.includes('rulesets'))).toEqual([])
    const checked = await run(at, ['check', '--quick'])
    expect(severities(checked.report)['cloudflare-edge-rules']).toBe('ok')
    const back = await run(at, [...edge, '--edge-ttl', 'origin'])
    expect(statusOf(back.report, 'cache-everything')).toBe('changed')
    const rule = world.edge.rulesets
      .flatMap(({ rules }) => rules)
      .find(({ ref }) => ref === OURS[1])
    expect(rule?.parameters).toMatchObject({ edge_ttl: { mode: 'respect_origin' } })
  })

  test.each([
    ['--edge-ttl', '30d'],
    ['--edge', 'private-folders', '--edge-ttl', '30d'],
  ])('a time without its rule is refused: %s', async (...args) => {
    const { code, report } = await run(withoutRules(), [...init, ...args])
    expect([code, report.problem?.code]).toEqual([2, 'flag-without-effect'])
    expect(report.problem?.next).toContain('--edge cache-everything --edge-ttl 30d')
  })

  test('a rule that was switched off is told, and put right', async () => {
    const at = withRules()
    const rule = world.edge.rulesets
      .flatMap(({ rules }) => rules)
      .find(({ ref }) => ref === OURS[2])
    Object.assign(rule ?? {}, { enabled: false })
    const checked = await run(at, ['check', '--quick'])
    const told = checked.report.checks.find(({ id }) => id === 'cloudflare-edge-rules')
    expect(told).toMatchObject({
      severity: 'warning',
      saw: expect.stringContaining('Private folders'),
      next: expect.stringMatching(/^npx mastodon-r2 init .*--edge private-folders$/),
    })
    expect((await run(at, [...init, '--edge', 'private-folders'])).code).toBe(0)
    expect(severities((await run(at, ['check', '--quick'])).report)['cloudflare-edge-rules']).toBe(
      'ok',
    )
    expect(refs()).toEqual(OURS)
  })

  test('Smart Tiered Cache only by its name', async () => {
    const at = withRules()
    expect(world.edge.tiering).toEqual([])
    const { report } = await run(at, [...init, '--edge', 'tiered-cache'])
    expect(statusOf(report, 'tiered-cache')).toBe('changed')
    expect(report.steps.some(({ id }) => id === 'private-folders')).toBe(false)
  })

  test('undo leaves them while the host serves, and takes exactly them away when told', async () => {
    const at = withRules()
    const [ruleset] = world.edge.rulesets
    const [first] = ruleset?.rules ?? []
    const theirs = { ...first, id: 'f'.repeat(32), ref: 'theirs' }
    ruleset?.rules.unshift(theirs as never)
    const kept = await stage.initHere(at, ['undo', '--yes', '--dry-run'])
    expect(kept.stdout).toContain('add --drop-edge-rules to remove it')
    const { code } = await run(at, ['undo', '--yes', '--drop-edge-rules', '--even-if-in-use'])
    expect(code).toBe(0)
    expect(refs()).toEqual(['theirs'])
  })
})

describe('faults: whatever happens to a request about rules, the next run ends in the same state', () => {
  const kinds = ['reset', 'applied-then-reset', 'malformed', 'unsuccessful'] as const
  const strikes = [
    ...(['reset', 'malformed', 'unsuccessful'] as const).map((kind) => ({ kind, method: 'GET' })),
    ...[403, 500].map((status) => ({ kind: 'status' as const, status, method: 'GET' })),
    ...kinds.map((kind) => ({ kind, method: 'PUT' })),
    ...[403, 409, 429, 500].map((status) => ({ kind: 'status' as const, status, method: 'PUT' })),
  ]

  test.each(strikes)('%o', { timeout: 120_000 }, async (strike) => {
    const at = withoutRules()
    const headers = { 'retry-after': '0' }
    faults.add({ side: 'api', path: '/rulesets', ...strike, headers })
    const broken = await run(at, edge)
    expect(faults.list()).toEqual([])
    expect({ code: broken.code, problem: broken.report.problem }).toEqual({
      code: 0,
      problem: null,
    })
    const again = await run(at, edge)
    expect({ code: again.code, problem: again.report.problem }).toEqual({ code: 0, problem: null })
    expect(refs().sort()).toEqual([...OURS].sort())
    expect(settingsOf(at.read()).S3_ENABLED).toBe('true')
  })
})

test('a token without the permissions: all is set up, and what to grant is said', async () => {
  const bare = await openStage({
    permissions: ['Account API Tokens Write', 'Workers R2 Storage Write', 'Zone Read', 'DNS Read'],
  })
  try {
    const at = bare.machine()
    const { code, stdout } = await bare.initHere(at, [
      ...edge.slice(0, 3),
      'recommended,tiered-cache',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('R2 is ready and proven.')
    for (const name of ['Transform Rules', 'Cache Rules', 'Zone WAF', 'Zone Settings']) {
      expect(stdout.replaceAll(/\n */g, ' ')).toContain(
        `Add "${name}: Edit" to the token at https://`,
      )
    }
    const checked = await bare.initHere(at, ['check', '--json', '--quick'])
    const report = reportSchema.parse(JSON.parse(checked.stdout))
    expect(severities(report)['cloudflare-edge-rules']).toBe('skipped')
    const undone = await bare.initHere(at, ['undo', '--yes', '--even-if-in-use'])
    expect(undone.stdout).toContain('none seen; the API token lacks "Transform Rules: Edit"')
  } finally {
    await bare.close()
  }
})
