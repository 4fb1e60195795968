import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Machine } from './machine.ts'
import { HOST, openStage, until } from './stage.ts'

const stage = await openStage()
afterAll(() => stage.close())

const folderOf = ({ home }: Machine) => join(home, '.local/state/mastodon-r2/logs')
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

function logs(at: Machine): string[] {
  try {
    return readdirSync(folderOf(at)).map((name) => join(folderOf(at), name))
  } catch {
    return []
  }
}

/** A machine with a bucket of its own. */
function own(name: string) {
  const host = `${name}.example.com`
  return { at: stage.machine(), args: ['--media-host', host, '--bucket', `${name}-media`] }
}

test.concurrent('a run that changed something leaves a log, for its owner alone', async () => {
  const { at, args } = own('logged')
  const { code, stdout } = await stage.init(at, [...args, '--json', '--quiet'])
  const [path = '', ...more] = logs(at)
  expect({ code, more, log: JSON.parse(stdout).log }).toEqual({ code: 0, more: [], log: path })
  expect([mode(path), mode(folderOf(at))]).toEqual(['600', '700'])
  expect(basename(path)).toMatch(/^\d{8}T\d{9}Z-init-\d+\.log$/)
  const text = readFileSync(path, 'utf8')
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z/)
  // What the program is, what was given, the plan, each request, how the steps ended.
  expect(text).toMatch(/mastodon-r2 \d.*init, Node \d.*"bucket":\{"value":"logged-media"/)
  expect(text).toMatch(/change +Bucket: /)
  expect(text).toMatch(/Z POST \/accounts\/\w+\/r2\/buckets 200 \d+ ms/)
  expect(text).toMatch(/begin +Bucket/)
})

test.concurrent('a log that was begun is named when the run fails', async () => {
  const failing = await openStage()
  try {
    const at = failing.machine()
    const fault = { side: 's3', method: 'PUT', kind: 'status', status: 501, times: 99 } as const
    failing.sandbox.faults.add(fault)
    const { code, stdout } = await failing.initHere(at)
    const [path = ''] = logs(at)
    expect({ code, named: stdout.endsWith(`\nLog of this run:\n  ${path}\n`) }).toEqual({
      code: 1,
      named: true,
    })
    expect(readFileSync(path, 'utf8')).toContain(' 501 ')
  } finally {
    await failing.close()
  }
})

test.concurrent.each<[string, readonly string[]]>([
  ['a dry run', ['--dry-run']],
  ['a run that prints', ['--print']],
  ['a run that is refused', ['--location', 'weur', '--jurisdiction', 'eu']],
  ['check', ['check']],
  ['undo of nothing', ['undo', '--dry-run']],
])('%s leaves no log', async (_, args) => {
  const { at, args: where } = own('looking')
  const takes = args[0]?.startsWith('--') === true
  await stage.initHere(at, takes ? [...where, ...args] : args)
  expect(logs(at)).toEqual([])
})

test.concurrent('a rehearsal leaves no log', async () => {
  const at = stage.machine()
  const { run } = await import('./program.ts')
  const { code } = await run(['init', '--sandbox', '--yes'], {
    cwd: at.dir,
    env: { HOME: at.home, TMPDIR: at.tmp },
  })
  expect({ code, logs: logs(at) }).toEqual({ code: 0, logs: [] })
})

test.concurrent('--log-file is made, also by a run that finds nothing to do, and goes on', async () => {
  const { at, args } = own('named')
  const file = at.path('own.log')
  await stage.initHere(at, [...args, '--log-file', 'own.log'])
  const first = readFileSync(file, 'utf8')
  expect([mode(file), logs(at)]).toEqual(['600', []])
  const undone = await stage.initHere(at, ['undo', '--yes', '--log-file', file])
  const both = readFileSync(file, 'utf8')
  expect({ code: undone.code, goesOn: both.startsWith(first) }).toEqual({ code: 0, goesOn: true })
  expect(both.slice(first.length)).toMatch(/^\S+Z mastodon-r2 \S+ undo, Node/)
  const refused = await stage.initHere(at, [...args, '--log-file', file, '--wait-domain', 'soon'])
  expect([refused.code, readFileSync(file, 'utf8')]).toEqual([2, both])
})

test.concurrent.each<[string, string, (at: Machine) => void]>([
  ['a link', 'It is a link', (at) => symlinkSync('elsewhere', at.path('own.log'))],
  ['a folder', 'It is a folder', (at) => mkdirSync(at.path('own.log'))],
  ['a folder that is not there', 'Its folder does not exist', () => undefined],
])('--log-file refuses %s before anything changes', async (kind, why, arrange) => {
  const { at, args } = own('refused')
  arrange(at)
  const path = kind.includes('not there') ? 'none/own.log' : 'own.log'
  const before = at.read()
  const { code, stdout } = await stage.initHere(at, [...args, '--log-file', path])
  expect({ code, stdout }).toMatchObject({ code: 2, stdout: expect.stringContaining(why) })
  expect([
    at.read(),
    stage.sandbox.world.buckets.some(({ name }) => name === 'refused-media'),
  ]).toEqual([before, false])
})

test.concurrent.each(['--dry-run', '--print', '--sandbox'])(
  '--log-file is refused with %s',
  async (other) => {
    const { at, args } = own('pair')
    const { code, stdout, stderr } = await stage.initHere(at, [
      ...args,
      '--log-file',
      'own.log',
      other,
    ])
    expect({ code, said: stdout + stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining(`--log-file and ${other} can't both be meant`),
    })
    expect([...at.files().keys()].some((path) => path.endsWith('own.log'))).toBe(false)
  },
)

test.concurrent('a run that can have no log says so and does its work', async () => {
  const { at, args } = own('nowhere')
  writeFileSync(join(at.home, 'file'), '')
  const env = { XDG_STATE_HOME: join(at.home, 'file') }
  const { code, stdout } = await stage.initHere(at, args, { env })
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('There is no log of this run from here on: '),
  })
})

test.concurrent('no log is written through a link that somebody laid', async () => {
  const { at, args } = own('linked')
  const [theirs, state] = [join(at.home, 'theirs'), join(at.home, '.local/state/mastodon-r2')]
  mkdirSync(theirs)
  mkdirSync(state, { recursive: true })
  symlinkSync(theirs, join(state, 'logs'))
  const { code } = await stage.initHere(at, args)
  expect({ code, theirs: readdirSync(theirs) }).toEqual({ code: 0, theirs: [] })
})

test.concurrent('a run that is killed leaves what was seen until then', async () => {
  const slow = await openStage({ domainMs: 60_000 })
  try {
    const at = slow.machine()
    const running = slow.start(at, ['--media-host', HOST])
    await until('the wait for the domain is noted', () =>
      logs(at).some((path) => readFileSync(path, 'utf8').includes('wait    Custom domain:')),
    )
    running.child.kill('SIGKILL')
    await running.ended
    expect(readFileSync(logs(at)[0] ?? '', 'utf8')).toMatch(/begin +Custom domain[\s\S]*\n$/)
  } finally {
    await slow.close()
  }
})

test.concurrent('a log that was opened up stays as its owner made it', async () => {
  const { at, args } = own('opened')
  at.write('own.log', 'mine\n')
  chmodSync(at.path('own.log'), 0o640)
  await stage.initHere(at, [...args, '--log-file', 'own.log'])
  expect([mode(at.path('own.log')), at.read('own.log').split('\n')[0]]).toEqual(['640', 'mine'])
})
