import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { familyOf } from './processes.ts'

const isRoot = process.getuid?.() === 0
const why = rcloneMissing ?? (isRoot ? undefined : '(needs root: runs in CI)')
const server = why === undefined ? await openMigratingServer({ media: 130 }) : undefined
afterAll(() => server?.close())

const OWNER = 4711

test.skipIf(why)(`root copies as the owner of the media folder ${why ?? ''}`, async () => {
  if (!server) throw new Error(why)
  const { at, start, stored, migrate } = server
  const root = join(at.dir, 'public/system')
  const secret = join(at.home, 'secret')
  writeFileSync(secret, 'for root alone')
  chmodSync(secret, 0o600)
  execFileSync('chown', ['-hR', `${OWNER}:${OWNER}`, root])
  execFileSync('find', [root, '-type', 'f', '-exec', 'touch', '-d', '2001-01-01', '{}', '+'])
  const folder = join(root, 'accounts/avatars')
  for (const [name, target] of Object.entries({
    'secret.png': secret,
    'open.png': '/etc/passwd',
    etc: '/etc',
  })) {
    symlinkSync(target, join(folder, name))
    lchownSync(join(folder, name), OWNER, OWNER)
  }
  const running = start(['--stage', 'copy', '--yes'])
  const users = new Map<string, Set<string>>()
  let over = false
  running.ended.finally(() => {
    over = true
  })
  while (!over) {
    for (const { pid, argv } of familyOf(running.pid)) {
      const program = /\brclone copy\b|\bmedia-reader\b/.exec(argv)?.[0]
      if (program === undefined) continue
      try {
        const uid = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
        users.set(program, (users.get(program) ?? new Set()).add(uid))
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(5)
  }
  const { code, stdout, stderr } = await running.ended
  expect(code, stdout + stderr).toBe(0)
  for (const name of ['secret.png', 'open.png', 'etc/']) {
    expect(stdout).toContain(`Not copied: accounts/avatars/${name} `)
  }
  const keys = [...(await stored()).keys()]
  expect(keys.filter((key) => /secret|open\.png|etc/.test(key))).toEqual([])
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
    .map((path) => path.slice(root.length + 1))
  expect(files.filter((key) => !keys.includes(key) && !/^(backups|imports)/.test(key))).toEqual([])
  const all = (uid: number) => Array.from({ length: 4 }, () => uid).join('\t')
  expect([...(users.get('rclone copy') ?? [])]).toContain(all(OWNER))
  expect([...(users.get('media-reader') ?? [])]).toContain(all(OWNER))
  const survey = await migrate(['--stage', 'survey'])
  expect(survey.stdout).toContain("Out of the media folder and another user's, so not copied")
  const compared = await migrate(['--stage', 'compare', '--checksum'])
  expect(compared.code, compared.stdout).toBe(0)
  const copied = (await stored()).size
  execFileSync('chown', ['-hR', `${OWNER + 1}:${OWNER + 1}`, root])
  const again = await migrate(['--stage', 'copy', '--yes'])
  expect(again.code, again.stdout).toBe(0)
  expect(again.stdout).toContain(`nothing was missing`)
  expect(again.stdout).toContain(`${copied} older files not sent again`)
})
