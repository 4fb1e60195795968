import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { LoggedRequest } from '../../src/sandbox/world.ts'
import type { Machine } from '../e2e/machine.ts'
import { openStage, type Stage } from '../e2e/stage.ts'
import { expectConverged, expectOnlyOurs } from './converged.ts'
import { BEFORE } from './trial.ts'

const LANES = 3
const stages = await Promise.all(
  Array.from({ length: LANES }, () => openStage({ domainMs: 50, keyMs: 50 })),
)
const [first] = stages as [Stage]
afterAll(() => Promise.all(stages.map((stage) => stage.close())))

let count = 0

/** A host and a bucket that no other run has. */
function place(stage: Stage) {
  count += 1
  const [host, bucket] = [`files${count}.example.com`, `media-${count}`]
  const at = stage.machine(BEFORE)
  return { at, host, bucket, args: ['--media-host', host, '--bucket', bucket] }
}

/** Tells each request of a sandbox when it is carried out, and before its answer goes out. */
function onRequest({ sandbox }: Stage, told: ((count: number) => void) | undefined): void {
  const log = sandbox.log as LoggedRequest[]
  let seen = 0
  log.push = (...entries) => {
    for (const entry of entries) log[log.length] = entry
    seen += entries.length
    told?.(seen)
    return log.length
  }
}

/** A clean run after the broken one ends where it would have ended without. */
async function expectRecovery(
  stage: Stage,
  { at, host, bucket, args }: ReturnType<typeof place>,
): Promise<void> {
  expectOnlyOurs(BEFORE, at.read())
  const { code, stdout, stderr } = await stage.initHere(at, args)
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  expectConverged(stage.sandbox, at.read(), { bucket, host, before: BEFORE })
  expect(namesOf(at)).toEqual(expect.arrayContaining(['.env.production']))
  expect(namesOf(at).filter((name) => !/^\.env\.production(\.\S+\.bak)?$/.test(name))).toEqual([])
  for (const name of namesOf(at).filter((name) => name.endsWith('.bak'))) {
    expectOnlyOurs(BEFORE, at.read(name))
  }
  stage.sandbox.world.buckets.length = 0
}

function namesOf({ dir }: Machine): string[] {
  return readdirSync(dir).sort()
}

test('killed at each request from the first change on', { timeout: 400_000 }, async () => {
  first.forget()
  const clean = place(first)
  const before = first.sandbox.log.length
  expect((await first.init(clean.at, clean.args)).code).toBe(0)
  const log = first.sandbox.log.slice(before)
  const firstChange = log.findIndex(({ method }) => method === 'POST')
  const all = log.map((_, index) => index + 1)
  const points = all.filter((point) => point >= firstChange || point % 8 === 1)
  expect(points.length).toBeGreaterThanOrEqual(40)
  let killed = 0
  const lane = async (stage: Stage) => {
    for (let point = points.shift(); point !== undefined; point = points.shift()) {
      const here = place(stage)
      const run = stage.start(here.at, here.args)
      onRequest(stage, (seen) => {
        if (seen === point) run.child.kill('SIGKILL')
      })
      const { signal } = await run.ended
      if (signal === 'SIGKILL') killed += 1
      onRequest(stage, undefined)
      await expectRecovery(stage, here)
    }
  }
  await Promise.all(stages.map(lane))
  expect(killed).toBeGreaterThanOrEqual(40)
})

describe('killed while the env file is written', () => {
  const preload = fileURLToPath(new URL('kill-at-write.mjs', import.meta.url))

  test('at each step of the writing', { timeout: 200_000 }, async () => {
    let killed = 0
    for (let point = 1; ; point += 1) {
      const here = place(first)
      const env = { NODE_OPTIONS: `--import=${preload}`, KILL_AT: String(point) }
      const { signal, code } = await first.init(here.at, here.args, { env })
      if (signal !== 'SIGKILL') {
        expect(code).toBe(0)
        break
      }
      killed += 1
      await expectRecovery(first, here)
    }
    // Of the copy and of the new file: made, half written, written, synced, before and after rename.
    expect(killed).toBe(12)
  })
})
