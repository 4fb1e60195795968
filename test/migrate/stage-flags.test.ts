import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { migrateCatalog, migrateFlags } from '../../src/migrate/settings.ts'
import {
  isOfWhole,
  refuseOfOtherSource,
  refuseOfOtherStage,
  refusePairs,
} from '../../src/migrate/stage-flags.ts'
import { ofCloudflare } from '../../src/settings/no-effect.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { type Stage, stages } from '../../src/settings/stages.ts'

type Name = keyof typeof migrateFlags

/** A value that each rule takes. */
const VALUES: Partial<Record<Name, string | readonly string[]>> = {
  from: 'local',
  engine: 'rclone',
  slurper: 'pause',
  skip: ['cache/'],
  transfers: '8',
  bwlimit: '8M',
  cleanMedia: '7',
  cleanCards: '30',
  maxLoss: '2',
  mediaDir: '/media',
  apiToken: 'the-token-file',
  accountId: 'a'.repeat(32),
  cloudflareApiUrl: 'http://127.0.0.1:1',
}

function given(...names: readonly Name[]) {
  return settingsOf(Object.fromEntries(names.map((name) => [name, VALUES[name] ?? true])))
}

function settingsOf(
  flags: Readonly<Record<string, string | true | readonly string[]>>,
  environment: Readonly<Record<string, string>> = {},
) {
  return Settings.resolve(migrateCatalog, {
    flags: new Map(Object.entries(flags)),
    environment,
    answers: new Map(),
    readFile: async () => 'cfat_'.padEnd(50, '0'),
  })
}

function refusal(refuse: () => void): Problem | undefined {
  try {
    refuse()
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** Where each is of use; elsewhere it would be dropped. */
const OF_USE: readonly (readonly [Name, readonly Stage[]])[] = [
  ['slurper', ['copy']],
  ['checksum', ['cutover', 'compare']],
  ['headers', ['cutover', 'compare']],
  ['removeExtras', ['compare']],
  ['cleanMedia', ['cleanup']],
  ['cleanProfiles', ['cleanup']],
  ['cleanCards', ['cleanup']],
  ['cleanOrphans', ['cleanup']],
  ['cleanCache', ['cleanup']],
  ['noDowntime', ['cutover']],
  ['stop', ['cutover']],
  ['maxLoss', ['copy', 'cutover', 'compare']],
  ['withRemoved', ['copy', 'cutover']],
  ['engine', ['survey', 'announce', 'cleanup', 'copy']],
  ['transfers', ['survey', 'announce', 'cleanup', 'copy', 'cutover']],
  ['bwlimit', ['survey', 'announce', 'cleanup', 'copy', 'cutover']],
  ['from', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['mediaDir', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['onlyLocal', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['skip', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['withPrivate', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['withSuspended', ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare']],
  ['apiToken', ['redirects']],
  ['accountId', ['redirects']],
  ['cloudflareApiUrl', ['redirects']],
]

/** Read before a stage is chosen, or by all of them. */
const OF_ALL: readonly Name[] = [
  ...(['stage', 'mastodonDir', 'mastodonEnv', 'answers', 'dryRun', 'yes', 'json'] as const),
  ...(['quiet', 'verbose', 'noColor', 'sandbox', 's3EndpointUrl', 'connectTo'] as const),
  ...(['logFile', 'timings'] as const),
]

describe('a flag that a stage would drop is refused', () => {
  test('each flag of migrate is of all stages, or of some', () => {
    const known = [...OF_USE.map(([name]) => name), ...OF_ALL]
    expect([...known].sort()).toEqual(Object.keys(migrateFlags).sort())
  })

  const cases = OF_USE.flatMap(([name, of]) =>
    stages.map((stage) => ({ name, of, stage, refused: !of.includes(stage) })),
  )
  test.each(cases)(
    '$name with the stage $stage: $refused',
    async ({ name, of, stage, refused }) => {
      const settings = await given(name)
      const problem = refusal(() => refuseOfOtherStage(settings, stage))
      if (!refused) return expect(problem).toBeUndefined()
      expect(problem).toMatchObject({ code: 'flag-without-effect', exit: 2 })
      expect(problem?.what).toBe(
        `${migrateFlags[name].flag} with the stage ${stage} would have no effect here.`,
      )
      const line = String(problem?.next).split('\n  ')[1] ?? ''
      if (ofCloudflare.some((one) => one === name)) return
      expect(line).toContain(`${migrateFlags[name].flag} `)
      const [, own = ''] = /--stage (\w+)$/.exec(line) ?? []
      expect(of).toContain(own)
    },
  )

  test.each(stages)('what is for every stage is taken by %s', async (stage) => {
    const settings = await settingsOf({ dryRun: true, yes: true, json: true, mastodonDir: '/live' })
    expect(refusal(() => refuseOfOtherStage(settings, stage))).toBeUndefined()
  })

  test('a variable stays there for the stages that it is for', async () => {
    const settings = await settingsOf({}, { MASTODON_R2_CLEAN_MEDIA: '7' })
    expect(settings.get('cleanMedia')).toBe(7)
    for (const stage of stages) refuseOfOtherStage(settings, stage)
  })

  test('Super Slurper asks Cloudflare in the stages that copy', async () => {
    const settings = await settingsOf({
      engine: 'super-slurper',
      accountId: 'a'.repeat(32),
      apiToken: 'the-token-file',
    })
    expect(refusal(() => refuseOfOtherStage(settings, 'copy'))).toBeUndefined()
  })

  test('a line for another stage has what is said of all of them, and no more', () => {
    expect(isOfWhole('onlyLocal', 'compare')).toBe(true)
    expect(isOfWhole('onlyLocal', 'redirects')).toBe(false)
    expect(isOfWhole('stop', 'cutover')).toBe(false)
    expect(isOfWhole('mastodonDir', 'redirects')).toBe(true)
  })
})

describe('pairs of which one would be dropped', () => {
  test.each<[string, Record<string, string | true | readonly string[]>, string]>([
    ['--media-dir with --from s3', { from: 's3', mediaDir: '/media' }, 'from the bucket'],
    ['--engine with --slurper', { slurper: 'abort', engine: 'super-slurper' }, 'copies nothing'],
    ['--skip with --slurper', { slurper: 'pause', skip: ['cache/'] }, 'copies nothing'],
    ['--max-loss with --slurper', { slurper: 'pause', maxLoss: '3' }, 'copies nothing'],
    [
      '--bwlimit with --engine super-slurper',
      { engine: 'super-slurper', bwlimit: '8M' },
      'at its own pace',
    ],
    [
      '--transfers with --engine super-slurper',
      { engine: 'super-slurper', transfers: '8' },
      'at its own pace',
    ],
  ])('%s is refused', async (what, flags, why) => {
    const settings = await settingsOf(flags)
    const problem = refusal(() => refusePairs(settings))
    expect(problem).toMatchObject({ code: 'flag-without-effect', exit: 2 })
    expect(problem?.what).toBe(`${what} would have no effect here.`)
    expect(problem?.why).toContain(why)
  })

  test.each<[Record<string, string | true>]>([
    [{ from: 'local', mediaDir: '/media' }],
    [{ mediaDir: '/media' }],
    [{ slurper: 'pause' }],
    [{ engine: 'super-slurper', onlyLocal: true }],
    [{ engine: 'rclone', bwlimit: '8M', transfers: '8' }],
  ])('%o is fine', async (flags) => {
    const settings = await settingsOf(flags)
    expect(refusal(() => refusePairs(settings))).toBeUndefined()
  })
})

describe('what the place of the media can’t obey', () => {
  test('objects in a bucket have no mode that tells of suspended users', async () => {
    const settings = await given('withSuspended')
    const problem = refusal(() => refuseOfOtherSource(settings, 's3'))
    expect(problem).toMatchObject({ code: 'flag-without-effect', exit: 2 })
    expect(problem?.why).toContain('They are copied like all others.')
  })

  test('files have one', async () => {
    const settings = await given('withSuspended')
    expect(refusal(() => refuseOfOtherSource(settings, 'local'))).toBeUndefined()
  })
})
