import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { reportJsonSchema } from '../../src/plan/report-schema.ts'
import { filesBelow } from './machine.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { familyOf } from './processes.ts'
import type { Running } from './program.ts'

const server = rcloneMissing ? undefined : await openMigratingServer({ media: 40 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const validate = new Ajv2020({ strict: false }).compile(reportJsonSchema())

/** Runs a stage and gives its report, checked against the schema. */
async function reported(args: readonly string[], code = 0) {
  const ended = await the().migrateHere([...args, '--json'])
  expect({ code: ended.code, said: ended.stdout + ended.stderr }).toMatchObject({ code })
  const report = JSON.parse(ended.stdout)
  validate(report)
  expect(validate.errors ?? []).toEqual([])
  expect(report).toMatchObject({ command: 'migrate', ok: code === 0 })
  return report
}

/** What a run may change: files of the server, notes, objects, services. */
async function world() {
  const { at, stored, calls, mastodon } = the()
  const state = filesBelow(join(at.home, 'state'))
  return {
    env: at.read(),
    media: [...filesBelow(join(mastodon.dir, 'public/system')).keys()].length,
    notes: [...state].filter(([path]) => !path.endsWith('.lock')),
    objects: [...(await stored()).keys()].length,
    calls: calls().filter((line) => !line.includes('--dry-run')).length,
  }
}

/** Every command line of a run and its children. */
async function argvOf(running: Running): Promise<string[]> {
  const seen = new Set<string>()
  let ended = false
  running.ended.finally(() => {
    ended = true
  })
  while (!ended) {
    for (const { argv } of familyOf(running.pid)) seen.add(argv)
    await sleep(10)
  }
  return [...seen]
}

describe.skipIf(rcloneMissing)('migrate where something is missing', () => {
  beforeEach(() => the().anew())

  test('rclone is not there: the line that installs it', async () => {
    const { migrate, mastodon, traps, at } = the()
    const bin = join(at.home, 'few-programs')
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    for (const name of ['sh', 'env', 'cat']) symlinkSync(`/usr/bin/${name}`, join(bin, name))
    const before = await world()
    const env = { PATH: `${traps}:${mastodon.bin}:${bin}`, XDG_STATE_HOME: join(at.home, 'other') }
    const { code, stdout } = await migrate(['--stage', 'copy', '--yes'], { env })
    expect(code).toBeGreaterThan(0)
    expect(stdout).toContain('rclone is not installed')
    expect(stdout).toMatch(/install.* rclone\n/)
    expect(await world()).toEqual(before)
  })

  test('rclone is too old: said', async () => {
    const { migrateHere, traps } = the()
    writeFileSync(join(traps, 'rclone'), '#!/bin/sh\necho "rclone v1.53.3"\n', { mode: 0o755 })
    const before = await world()
    const { code, stdout } = await migrateHere(['--stage', 'copy', '--yes'])
    expect(code).toBeGreaterThan(0)
    expect(stdout).toContain('1.53')
    expect(stdout).toContain('1.59')
    expect(await world()).toEqual(before)
  })

  test.skipIf(process.getuid?.() !== 0)('another user may not read the media: said', async () => {
    const { migrate, mastodon, at } = the()
    const system = join(mastodon.dir, 'public/system')
    chmodSync(at.path('.env.production'), 0o644)
    chmodSync(dirname(dirname(mastodon.dir)), 0o755)
    chmodSync(system, 0o700)
    const env = { XDG_STATE_HOME: at.tmp }
    const { code, stdout, stderr } = await migrate(['--stage', 'survey'], {
      unprivileged: true,
      env,
    })
    chmodSync(system, 0o755)
    chmodSync(at.path('.env.production'), 0o600)
    expect({ code, said: stdout + stderr }).not.toMatchObject({ code: 0 })
    expect(stdout).toMatch(/sudo npx mastodon-r2 migrate/)
    expect(stdout).toContain(system)
  })
})

describe.skipIf(rcloneMissing)(`migrate, a stage at a time ${rcloneMissing ?? ''}`, () => {
  beforeEach(() => the().anew())

  test('what is refused before anything has begun', async () => {
    const before = await world()
    const compared = await reported(['--stage', 'compare'], 1)
    expect(compared.comparison).toMatchObject({ equal: false })
    const early = await reported(['--stage', 'cutover', '--yes'], 1)
    expect(early.problem).toMatchObject({ code: 'copy-missing' })
    // What to type holds for this server: where it is, is said again.
    for (const { problem } of [compared, early])
      expect(problem.next).toMatch(
        / {2}npx mastodon-r2 migrate --s3-endpoint-url \S+ .*--stage copy$/,
      )
    const nothing = await reported(['--stage', 'cleanup', '--yes'], 2)
    expect(nothing.problem).toMatchObject({ code: 'nothing-to-clean' })
    const { problem } = await reported(['--stage', 'copy'], 2)
    expect(problem.next).toContain('--yes')
    expect(await world()).toEqual(before)
  })

  test.each([
    { stage: 'survey', code: 0 },
    { stage: 'announce', code: 0 },
    { stage: 'copy', code: 0 },
    { stage: 'cleanup', code: 0, more: ['--clean-orphans'] },
    { stage: 'cutover', code: 1 },
  ])('--dry-run changes nothing: $stage', async ({ stage, code, more = [] }) => {
    const before = await world()
    const report = await reported(['--stage', stage, '--dry-run', '--yes', ...more], code)
    expect(report).toMatchObject({ dryRun: true })
    expect(await world()).toEqual(before)
  })

  test('without --stage: each in its turn, up to the cut-over', async () => {
    const { migrate, migrateHere, at, stored } = the()
    const { survey } = await reported(['--yes'])
    expect(survey.copied.objects).toBeGreaterThan(30)
    const announced = await migrateHere(['--yes'])
    expect(announced.stdout).toContain('next  announce')
    expect(announced.stdout).toContain('a switch is safe from')
    const cleaned = await migrateHere(['--stage', 'cleanup', '--clean-orphans', '--yes'])
    expect({ code: cleaned.code, said: cleaned.stdout }).toMatchObject({ code: 0 })
    const before = at.read()
    const copied = await migrate(['--yes'])
    expect(copied.stdout).toContain('next  copy')
    expect(copied.stdout).toContain('Copied. Mastodon still stores media where it did.')
    expect(copied.stdout).toMatch(/npx mastodon-r2 migrate .*--stage cutover\n/)
    const there = (await stored()).size
    const refused = await reported(['--yes'], 2)
    expect(refused.problem).toMatchObject({ code: 'cutover-not-named' })
    const equal = await reported(['--stage', 'compare', '--checksum', '--headers'])
    expect(equal.comparison).toMatchObject({ equal: true, same: { objects: there } })
    const idle = await migrateHere(['--stage', 'copy', '--yes'])
    expect(idle.stdout).toContain('Nothing is new; all of it is in the bucket.')
    expect(at.read()).toBe(before)
    const rehearsed = await migrateHere(['--stage', 'cutover', '--dry-run'])
    expect(rehearsed.stdout).toContain('systemctl kill -s TSTP')
    expect(at.read()).toBe(before)
  })

  test('no secret is seen while it copies', async () => {
    const { stage, at, mastodon, start, env } = the()
    for (const nth of Array.from({ length: 60 }, (_, nth) => nth)) {
      const name = `cache/custom_emojis/images/000/000/${100 + nth}/original/${nth}.png`
      writeFileSync(join(mastodon.dir, 'public/system', name.replaceAll('/', '-')), String(nth))
    }
    stage.sandbox.world.delays.requestMs = 20
    const running = start(['--stage', 'copy', '--yes', '--verbose', '--transfers', '2'], { env })
    const argv = await argvOf(running)
    const { code, stdout, stderr } = await running.ended
    stage.sandbox.world.delays.requestMs = 0
    expect({ code, said: stdout + stderr }).toMatchObject({ code: 0 })
    expect(argv.some((line) => line.includes('rclone'))).toBe(true)
    const tokens = stage.sandbox.world.tokens.map(({ value }) => value)
    const secrets = tokens.flatMap((one) => [one, createHash('sha256').update(one).digest('hex')])
    const left = [...filesBelow(at.home), ...filesBelow(at.tmp)].map(([, text]) => text)
    const places = [stdout, stderr, ...argv, ...left]
    expect(places.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([])
  })

  test('the cut-over, and what comes after it', async () => {
    const { migrateHere, at } = the()
    expect((await migrateHere(['--stage', 'copy', '--yes'])).code).toBe(0)
    const { comparison } = await reported(['--stage', 'cutover', '--yes'])
    expect(comparison).toMatchObject({ equal: true })
    expect(at.read()).toContain('S3_ENABLED=true\n')
    const late = await reported(['--stage', 'cleanup', '--clean-media', '0', '--yes'], 2)
    expect(late.problem).toMatchObject({ code: 'clean-up-too-late' })
    const last = await migrateHere(['--yes'])
    expect({ code: last.code, said: last.stdout }).toMatchObject({ code: 0 })
    expect(last.stdout).toContain('Mastodon stores media on R2 since')
    expect(last.stdout).toContain('Both sides are equal.')
    // Both with what earlier runs noted, and without.
    const state = join(at.home, 'state')
    const proposed = async () => (await migrateHere(['--stage', 'copy', '--yes'])).stdout
    expect(await proposed()).toMatch(/--stage compare\n/)
    renameSync(state, `${state}.lost`)
    const [lost, again] = [await proposed(), await proposed()]
    for (const told of [lost, again]) {
      expect(told).toMatch(/--stage compare\n/)
      expect(told).not.toContain('cutover')
    }
    const status = await migrateHere(['--dry-run'])
    expect(status.stdout).toContain('Mastodon stores media on R2')
    expect(status.stdout).not.toContain('cut off')
    rmSync(state, { recursive: true })
    renameSync(`${state}.lost`, state)

    const before = await world()
    expect((await migrateHere(['--stage', 'cutover', '--yes'])).code).toBe(0)
    expect(await world()).toMatchObject({ env: before.env, objects: before.objects })
  })
})
