import { afterAll, expect, test } from 'vitest'
import { runHere } from './in-process.ts'
import { LOCAL_DOMAIN } from './machine.ts'
import { openStage } from './stage.ts'
import { settingsOf } from './storage-lines.ts'
import { unwrapped } from './unwrapped.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

/** As `mastodon:setup` writes it; the server is another machine. */
const OF_SERVER = `${LOCAL_DOMAIN}SECRET_KEY_BASE=${'e'.repeat(128)}\nDB_HOST=db.internal\n`
const own = (name: string) => [
  ...['--media-host', `${name}.example.com`, '--bucket', `${name}-media`],
  ...['--mastodon-env', 'carried.env'],
]
const carried = (text: string) => stage.machine('', { 'carried.env': text })

test.concurrent('the env file of a server that is elsewhere: what happens to its media has to be said', async () => {
  const at = carried(OF_SERVER)
  const { code, stdout } = await stage.initHere(at, own('asked'))
  expect(code).toBe(2)
  const said = unwrapped(stdout)
  expect(said).toContain("whether it holds media can't be seen from here")
  expect(said).toContain('--existing-media')
  expect(at.read('carried.env')).toBe(OF_SERVER)
  expect(stage.sandbox.world.buckets.some(({ name }) => name === 'asked-media')).toBe(false)
})

test.concurrent.each([
  ['prepare', 'false'],
  ['switch', 'true'],
])('--existing-media %s says it, and where the file belongs is told', async (word, enabled) => {
  const at = carried(OF_SERVER)
  const line = [...own(`said-${word}`), '--existing-media', word]
  const { code, stdout } = await stage.initHere(at, line)
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expect(settingsOf(at.read('carried.env')).S3_ENABLED).toBe(enabled)
  if (word === 'switch')
    expect(unwrapped(stdout)).toContain('No Mastodon was seen here: if it runs elsewhere')
})

test.concurrent('so does the folder with the media', async () => {
  const at = carried(OF_SERVER)
  const { code } = await stage.initHere(at, [...own('empty'), '--media-dir', at.home])
  expect(code).toBe(0)
  expect(settingsOf(at.read('carried.env')).S3_ENABLED).toBe('true')
})

test.concurrent.each([
  ['a file for the keys alone', 'AWS_ACCESS_KEY_ID=\n'],
  ['a file of a server to come', LOCAL_DOMAIN],
])('%s is written without a question', async (name, text) => {
  const at = carried(text)
  const { code } = await stage.initHere(at, own(name.replaceAll(/\W+/g, '-')))
  expect(code).toBe(0)
})

test.concurrent.each(['init', 'check', 'usage', 'migrate', 'redirects', 'rotate', 'undo'])(
  '%s where there is no Mastodon: one error, whichever command',
  async (command) => {
    const at = stage.machine()
    const before = at.files()
    const yes = ['check', 'usage'].includes(command) ? [] : ['--yes']
    const host = command === 'init' ? ['--media-host', 'files.example.com'] : []
    const line = [command, '--json', ...yes, ...host]
    const ended = await runHere(line, { cwd: at.tmp, env: stage.environment(at) })
    const { problem } = JSON.parse(ended.stdout)
    expect({ code: ended.code, problem: problem.code }).toEqual({
      code: 2,
      problem: 'mastodon-not-found',
    })
    expect(problem.next).toContain('--mastodon-dir')
    expect(problem.next.includes('--print')).toBe(command === 'init')
    expect(at.files()).toEqual(before)
  },
)

test.concurrent.each(['migrate', 'leave', 'redirects', 'purge', 'check', 'undo', 'rotate'])(
  '%s names the env file that was named and is not there',
  async (command) => {
    const at = stage.machine()
    const what = command === 'purge' ? ['/@somebody/1'] : []
    const named = ['--mastodon-env', 'gone.env']
    const ended = await stage.initHere(at, [command, '--json', ...what, ...named])
    const { problem } = JSON.parse(ended.stdout)
    expect(ended.code).toBe(2)
    expect(`${problem.what} ${problem.why}`).toContain('gone.env')
    expect(problem.next).toContain('--mastodon-env')
  },
)

test('undo is told by flags alone what it takes back', async () => {
  const at = stage.machine()
  const place = ['--media-host', 'told.example.com', '--bucket', 'told-media']
  expect((await stage.initHere(at, place)).code).toBe(0)
  const routes = ['--s3-endpoint-url', stage.sandbox.s3Url()]
  const line = ['undo', '--dry-run', '--json', ...place, ...routes]
  const ended = await runHere(line, { cwd: at.tmp, env: stage.environment(at) })
  expect(ended.code).toBe(0)
  expect(ended.stdout).toContain('told-media')
})
