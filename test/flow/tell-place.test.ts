import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { prose, renderText, type Text, toType } from '../../src/core/to-type.ts'
import { toldIn } from '../../src/flow/session.ts'
import { reportChecks, reportProblem } from '../../src/plan/report.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { plainUi } from '../../src/ui/plain.ts'

const ENV = '/srv/it is here/.env'
const PLACE = `--mastodon-env '${ENV}'`

async function settingsOf(flags: Record<string, string>, environment = {}) {
  return Settings.resolve(catalog, {
    flags: new Map(Object.entries(flags)),
    environment,
    answers: new Map(),
    readFile: () => Promise.reject(new Error('nothing to read')),
  })
}

function voice(render: (text: Text) => string) {
  let written = ''
  const stream = { write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream
  const ui = plainUi({ words: stream, stdout: stream, stderr: stream, quiet: false, render })
  return { ui, told: () => written }
}

test('what a run was told, by a flag or a variable', async () => {
  const hasToken = false
  expect(toldIn(await settingsOf({ bucket: 'media', mastodonEnv: ENV }))).toEqual({
    mastodonEnv: ENV,
    hasToken,
  })
  const environment = {
    MASTODON_R2_ENV_FILE: '/srv/e',
    MASTODON_R2_CONNECT_TO: '::a:1,::b:2',
    CLOUDFLARE_BASE_URL: 'http://cf',
  }
  expect(toldIn(await settingsOf({ s3EndpointUrl: 'http://s3' }, environment))).toEqual({
    mastodonEnv: '/srv/e',
    s3EndpointUrl: 'http://s3',
    connectTo: ['::a:1', '::b:2'],
    cloudflareApiUrl: 'http://cf',
    hasToken,
  })
  const settings = await settingsOf({ bucket: 'media' })
  settings.need('cloudflareApiUrl')
  expect(toldIn(settings)).toEqual({ hasToken })
})

test('a token in its variable is there for the next run, too; one of a file is not', async () => {
  const variable = await settingsOf({}, { CLOUDFLARE_API_TOKEN: 'x'.repeat(40) })
  expect(toldIn(variable)).toEqual({ hasToken: true })
  const file = new Map([['apiToken', 'token.txt']])
  const settings = await Settings.resolve(catalog, {
    ...{ flags: file, environment: {}, answers: new Map() },
    readFile: async () => 'x'.repeat(40),
  })
  expect(toldIn(settings)).toEqual({ hasToken: false })
})

test('a scratch Mastodon of a rehearsal is gone when a line is typed', async () => {
  const settings = await settingsOf({ mastodonEnv: ENV })
  settings.offer('mastodonDir', '/tmp/scratch', 'sandbox')
  expect(toldIn(settings)).toMatchObject({ mastodonEnv: ENV })
  expect(toldIn(settings)).not.toHaveProperty('mastodonDir')
})

test('every way of telling says it', () => {
  const render = (text: Text) => renderText(text, { mastodonEnv: ENV })
  const check = toType('check')
  const line = `npx mastodon-r2 check ${PLACE}`
  const { ui, told } = voice(render)
  const outcome = { id: 'a', title: 'A', status: 'failed', changes: [] } as const
  const verdict = { severity: 'fault', saw: check, matters: check, next: check } as const
  const seen = { id: 'a', about: 'storage', title: 'A', verdict } as const
  const problem = new Problem({ code: 'c', what: 'W.', why: prose`Because ${check}`, next: check })
  ui.say(prose`Say ${check}`)
  ui.warn(prose`Warn ${check}`)
  ui.note('Note', [prose`  ${check}`])
  ui.ended({ ...outcome, note: check })
  ui.showChecks([seen], { verbose: false })
  const report = { problem: reportProblem(problem, render) }
  ui.finish(report as Parameters<typeof ui.finish>[0], {
    headline: 'Done.',
    sections: [{ title: 'Next', lines: [prose`  ${check}`] }],
  })
  const lines = told().match(/npx mastodon-r2 check.*/g)
  expect(lines).toHaveLength(10)
  expect(new Set(lines)).toEqual(new Set([line]))
  expect(reportChecks([seen], render)).toMatchObject([{ saw: line, matters: line, next: line }])
})
