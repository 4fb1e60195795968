import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HOST, openStage } from './stage.ts'

const watcher = pathToFileURL(fileURLToPath(new URL('aws-watch.mjs', import.meta.url)))
const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

/** What of AWS's usual places a run would find, each with a value that would break it. */
const tempting = {
  AWS_REGION: 'nowhere-1',
  AWS_PROFILE: 'of-somebody-else',
  AWS_ENDPOINT_URL: 'http://203.0.113.1',
  AWS_ENDPOINT_URL_S3: 'http://203.0.113.1',
  AWS_MAX_ATTEMPTS: 'many',
  AWS_USE_FIPS_ENDPOINT: 'true',
  AWS_REQUEST_CHECKSUM_CALCULATION: 'sometimes',
  AWS_LAMBDA_FUNCTION_NAME: 'not-me',
}

let seen: (kind: string) => string[]

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'mastodon-r2-home-'))
  mkdirSync(join(home, '.aws'))
  for (const name of ['config', 'credentials'])
    writeFileSync(join(home, '.aws', name), '[default]\nregion = nowhere-1\nsso_session = x\n')
  const file = join(home, 'seen')
  writeFileSync(file, '')
  const at = stage.machine()
  const watched = { HOME: home, WATCH_FILE: file, NODE_OPTIONS: `--import ${watcher}` }
  for (const args of [['--media-host', HOST], ['check']]) {
    const { code, stderr } = await stage.init(at, args, { env: { ...tempting, ...watched } })
    expect(code, stderr).toBeLessThanOrEqual(1)
  }
  const notes: [string, string][] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  seen = (kind) => [...new Set(notes.filter(([is]) => is === kind).map(([, value]) => value))]
})

test('no AWS_* variable, no ~/.aws and no metadata address is looked at', () => {
  expect(seen('variable')).toEqual([])
  expect(seen('file')).toEqual([])
  const here = /^(127\.0\.0\.1|::1|localhost|[a-z]+\.example\.com|\/.*)$/
  expect(seen('address').length).toBeGreaterThan(0)
  expect(seen('address').filter((host) => !here.test(host))).toEqual([])
})

test("Node's own fetch, which takes 30 ms to load, is not", () => {
  expect(seen('fetch')).toEqual([])
})
