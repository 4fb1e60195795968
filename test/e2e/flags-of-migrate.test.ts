import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'

const server = await openMigratingServer({ media: 30 })
afterAll(() => server.close())
const system = join(server.mastodon.dir, 'public/system')

/** A user who is suspended, and an archive of the account. */
const hidden = ['media_attachments/files/1/original/hidden.png', 'backups/dumps/1/a.tar.gz']
for (const key of hidden) {
  const path = join(system, key)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, 'x', { mode: 0o600 })
  const hourAgo = new Date(Date.now() - 7_200_000)
  execFileSync('touch', ['-d', hourAgo.toISOString(), path])
}
chmodSync(join(system, hidden[1] ?? ''), 0o644)

async function report(args: readonly string[]): Promise<Report> {
  const { stdout, stderr } = await server.migrate([...args, '--json'])
  expect(stdout, stderr).toMatch(/^\{/)
  return reportSchema.parse(JSON.parse(stdout))
}

describe('what is copied', () => {
  const copied = async (...flags: string[]) => {
    const { survey } = await report(['--stage', 'survey', ...flags])
    return survey?.copied.objects
  }

  test.each([
    ['--only-local', []],
    ['--skip', ['accounts/']],
  ])('%s: fewer', async (flag, value) => {
    expect(await copied(flag, ...value)).toBeLessThan(Number(await copied()))
  })

  test.each(['--with-private', '--with-suspended'])('%s: more', async (flag) => {
    expect(await copied(flag)).toBeGreaterThan(Number(await copied()))
  })

  test('--media-dir: what lies there', async () => {
    const folder = join(server.at.home, 'disk')
    mkdirSync(join(folder, 'accounts/avatars'), { recursive: true })
    writeFileSync(join(folder, 'accounts/avatars/a.png'), 'x')
    expect(await copied('--media-dir', folder)).toBe(1)
  })

  test.each([
    ['--from', 's3', 'old-provider'],
    ['--engine', 'super-slurper', 'engine-needs-s3'],
    ['--slurper', 'pause', 'engine-needs-s3'],
  ])('%s %s is another place than this one', async (flag, value, code) => {
    const { problem } = await report(['--stage', 'copy', '--yes', flag, value])
    expect(problem?.code).toMatch(new RegExp(`^(no-)?${code}`))
  })
})

describe.skipIf(rcloneMissing)(`how it is copied ${rcloneMissing ?? ''}`, () => {
  test('--transfers and --bwlimit are what rclone is told', async () => {
    const log = join(server.at.home, 'rclone.log')
    const real = execFileSync('sh', ['-c', 'command -v rclone'], { encoding: 'utf8' }).trim()
    const spy = `#!/bin/sh\necho "$@" >> ${log}\nexec ${real} "$@"\n`
    writeFileSync(join(server.traps, 'rclone'), spy, { mode: 0o755 })
    const pace = ['--transfers', '3', '--bwlimit', '50M']
    const { problem } = await report(['--stage', 'copy', '--yes', ...pace])
    expect(problem).toBeNull()
    expect(existsSync(log)).toBe(true)
    const told = readFileSync(log, 'utf8')
    expect(told).toContain('--bwlimit 50M')
    expect(told).toContain('--transfers 3')
  })

  test('--checksum, --headers and --remove-extras look further', async () => {
    const plain = await report(['--stage', 'compare'])
    expect(plain.comparison).toMatchObject({ contents: null, headers: null })
    const further = await report(['--stage', 'compare', '--checksum', '--headers'])
    expect(further.comparison).toMatchObject({
      contents: { compared: expect.any(Number) },
      headers: expect.anything(),
    })
    const extras = await report(['--stage', 'compare', '--remove-extras', '--dry-run'])
    expect(extras.steps.map(({ id }) => id)).toEqual(['remove-extras', 'compare'])
  })
})
