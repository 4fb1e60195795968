import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { flags } from '../../src/sandbox/sandbox.ts'
import type { Machine } from '../e2e/machine.ts'
import { cli } from '../e2e/program.ts'
import { openStage } from '../e2e/stage.ts'
import { expectConverged } from './converged.ts'
import { BEFORE } from './trial.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 100, keyMs: 100 })
afterAll(() => stage.close())
const exec = promisify(execFile)

/** Runs a line of bash in which "$@" is the program with its arguments. */
async function bash(line: string, args: readonly string[], at: Machine) {
  const words = ['-c', line, 'bash', process.execPath, '--', cli, ...args]
  const env = { PATH: process.env.PATH, ...stage.environment(at) }
  return exec('bash', words, { cwd: at.dir, env, timeout: 60_000 })
}

function initArgs(name: string) {
  const [host, bucket] = [`${name}.example.com`, `${name}-media`]
  const args = ['init', '--yes', '--media-host', host, '--bucket', bucket]
  return { host, bucket, before: BEFORE, args: [...args, ...flags(stage.sandbox)] }
}

describe.concurrent('init goes on to its end, whatever becomes of its streams', () => {
  test.each([
    ['head', '"$@" | head -n 1; echo "code ${PIPESTATUS[0]}"', 'code 0'],
    ['nobody', '"$@" | true; echo "code ${PIPESTATUS[0]}"', 'code 0'],
    ['no-input', '"$@" <&-; echo "code $?"', 'code 0'],
    ['no-output', '"$@" >&-; echo "code $?"', 'code 0'],
    ['no-streams', '"$@" <&- >&- 2>&-; echo "code $?"', 'code 0'],
    ['full', '"$@" >/dev/full; echo "code $?"', 'code 1'],
  ])('%s', async (name, line, code) => {
    const at = stage.machine(BEFORE)
    const { args, ...goal } = initArgs(name)
    const { stdout, stderr } = await bash(line, args, at)
    expect(stderr).toBe('')
    expect(stdout).toContain(code)
    expectConverged(stage.sandbox, at.read(), goal)
  })
})

test.each([
  ['help | head -n 1', '"$@" | head -n 1; echo "code ${PIPESTATUS[0]}"', 'code 0'],
  ['help to a full disk', '"$@" >/dev/full; echo "code $?"', 'code 1'],
])('%s', async (_, line, code) => {
  const { stdout, stderr } = await bash(line, ['help', 'init'], stage.machine())
  expect({ stdout: stdout.split('\n').at(-2), stderr }).toEqual({ stdout: code, stderr: '' })
})

describe.concurrent('all that is written is ASCII', () => {
  test.each([
    ['every-call', ['--verbose']],
    ['plan', ['--dry-run']],
    ['json', ['--json']],
    ['refused', ['--location', 'nowhere']],
    ['block', ['--print']],
  ])('%s', async (name, more) => {
    const at = stage.machine(BEFORE)
    const { args } = initArgs(name)
    const { stdout } = await bash('"$@" 2>&1; true', [...args, ...more], at)
    expect(stdout.length).toBeGreaterThan(100)
    expect(stdout.match(/\P{ASCII}+/gu) ?? []).toEqual([])
  })

  test.each(['init', 'check', 'sandbox'])('help %s', async (command) => {
    const { stdout } = await bash('"$@"', ['help', command], stage.machine())
    expect(stdout.length).toBeGreaterThan(100)
    expect(stdout.match(/\P{ASCII}+/gu) ?? []).toEqual([])
  })
})

test('a pause that Cloudflare asks for is kept, and shown', async () => {
  const at = stage.machine(BEFORE)
  const { args, ...goal } = initArgs('paused')
  const headers = { 'retry-after': '2' }
  const path = `${goal.bucket}/cors`
  const fault = { side: 'api', path, kind: 'status', status: 429, headers, method: 'PUT' } as const
  stage.sandbox.faults.add(fault)
  const began = performance.now()
  const { stdout } = await bash('"$@"', args, at)
  expect(stdout).toContain('Cloudflare asks for a pause (too many calls); waiting 2 s.')
  expect(performance.now() - began).toBeGreaterThan(2000)
  const sent = stage.sandbox.log.filter(
    (entry) => entry.method === 'PUT' && /cors/.test(entry.path),
  )
  const [refused, carriedOut] = sent.filter((entry) => entry.path.includes(path))
  expect(refused?.status).toBe(429)
  expect(carriedOut?.status).toBe(200)
  expect((carriedOut?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1950)
  expectConverged(stage.sandbox, at.read(), goal)
})
