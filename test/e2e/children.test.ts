import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ENV } from './machine.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { familyOf } from './processes.ts'
import { type Running, start } from './program.ts'
import { until } from './stage.ts'

/** A program that notes how it was called and with what, and then does its work. */
function standIn(notes: string, name: string, real: string): string {
  return `#!/bin/sh
tr '\\0' '\\n' </proc/self/environ >'${notes}/${name}.'$$
for word in "$0" "$@"; do printf 'argument=%s\\n' "$word" >>'${notes}/${name}.'$$; done
${real}
`
}

const server = rcloneMissing ? undefined : await openMigratingServer({ media: 20 })
afterAll(() => server?.close())

const PROGRAMS = ['docker', 'systemctl', 'sudo', 'rclone', 'nginx', 'caddy', 'runuser', 'setpriv']
const PLANTED = {
  MY_DEPLOY_SECRET: 'planted-1c1b',
  AWS_SECRET_ACCESS_KEY: 'planted-2c2b',
  CLOUDFLARE_EMAIL: 'planted-3c3b',
  DB_PASS: 'planted-4c4b',
}

function open() {
  if (!server) throw new Error('There is no rclone.')
  const { at, stage, env } = server
  const notes = join(at.home, 'notes')
  mkdirSync(notes, { mode: 0o777 })
  chmodSync(notes, 0o777)
  const tootctl = join(at.dir, 'bin/tootctl')
  renameSync(tootctl, `${tootctl}.real`)
  writeFileSync(tootctl, standIn(notes, 'tootctl', `exec '${tootctl}.real' "$@"`), { mode: 0o755 })
  return { at, stage, env, notes }
}

const opened = server && open()

type Before = 'nothing' | 'copied' | 'on R2'

/** A server on which so much was done, with the stand-ins in PATH. */
async function prepare(before: Before): Promise<void> {
  if (!server || !opened) throw new Error('There is no rclone.')
  const { anew, at, migrateHere } = server
  await anew()
  // When a process was started is known to the second alone.
  const earlier = Date.now() / 1000 - 60
  utimesSync(at.path(ENV), earlier, earlier)
  if (before !== 'nothing') {
    const { code, stdout } = await migrateHere(['--stage', 'copy', '--yes'])
    expect(code, stdout).toBe(0)
  }
  if (before === 'on R2') at.write(ENV, at.read().replace('S3_ENABLED=false', 'S3_ENABLED=true'))
  const { notes } = opened
  for (const name of readdirSync(notes)) rmSync(join(notes, name))
  for (const name of PROGRAMS) {
    const next = [server.mastodon.bin, ...(process.env.PATH ?? '').split(':')]
      .map((folder) => `${folder}/${name}`)
      .map((path) => `[ -x '${path}' ] && exec '${path}' "$@"`)
    const real = [...next, 'exit 127'].join('\n')
    writeFileSync(join(server.traps, name), standIn(notes, name, real), { mode: 0o755 })
  }
}

const ready = (running: Running) => until('it serves', () => running.said().includes('http'))

/** Environments and arguments of all programs that a run started, ours among them, by name. */
async function childrenOf(args: readonly string[]): Promise<Map<string, string>> {
  if (!opened) throw new Error('There is no rclone.')
  const { at, stage, env, notes } = opened
  const seen = new Map<string, string>()
  const options = { cwd: at.dir, env: { ...stage.environment(at), ...env, ...PLANTED } }
  const isApart = args.includes('--sandbox') || args[0] === 'sandbox'
  const running = isApart ? start(args, options) : stage.start(at, args, options)
  if (args[0] === 'sandbox') void ready(running).then(() => running.child.kill('SIGINT'))
  let over = false
  running.ended.finally(() => {
    over = true
  })
  while (!over) {
    for (const { pid } of familyOf(running.pid).filter((one) => one.pid !== running.pid)) {
      try {
        const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
        // A process between fork and exec is still a copy of ours.
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(` ${args[0]} `)) continue
        if (read('cmdline') === readFileSync(`/proc/${running.pid}/cmdline`, 'utf8')) continue
        seen.set(`process ${pid}`, `${read('environ')}\0${read('cmdline')}`.replaceAll('\0', '\n'))
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(10)
  }
  const { code, stdout, stderr } = await running.ended
  expect(code, stdout + stderr).toBe(0)
  for (const name of readdirSync(notes)) seen.set(name, readFileSync(join(notes, name), 'utf8'))
  return seen
}

describe.skipIf(rcloneMissing)('no child sees a secret that it needs not', () => {
  test.each<{ args: string[]; programs: string[]; before?: Before }>([
    { args: ['check'], programs: [] },
    { args: ['migrate', '--stage', 'survey'], programs: [] },
    {
      args: ['migrate', '--stage', 'cleanup', '--clean-cards', '7', '--yes'],
      programs: ['tootctl'],
    },
    { args: ['migrate', '--stage', 'copy', '--yes'], programs: ['rclone'] },
    {
      args: ['migrate', '--stage', 'cutover', '--yes'],
      programs: ['rclone', 'systemctl'],
      before: 'copied',
    },
    { args: ['redirects', '--via', 'nginx'], programs: ['nginx'], before: 'on R2' },
    {
      args: ['rotate', '--yes', '--grace', '0s', '--restart', 'run'],
      programs: ['systemctl'],
      before: 'on R2',
    },
    { args: ['undo', '--yes'], programs: [], before: 'on R2' },
    { args: ['init', '--sandbox', '--yes', '--existing-media', 'prepare'], programs: ['process'] },
    { args: ['sandbox'], programs: ['process'] },
  ])('$args', async ({ args, programs, before = 'nothing' }) => {
    await prepare(before)
    const seen = await childrenOf(args)
    const names = [...seen.keys()].map((name) => name.replace(/[. ]\d+$/, ''))
    for (const program of programs) expect(names).toContain(program)
    const token = opened?.stage.sandbox.bootstrapToken.reveal() ?? ''
    const secrets = [token, ...Object.values(PLANTED)]
    const told = [...seen].flatMap(([name, text]) =>
      secrets.filter((secret) => text.includes(secret)).map((secret) => `${name}: ${secret}`),
    )
    expect(told).toEqual([])
  })
})
