import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { envWriter } from '../../../src/flow/world.ts'
import { railsSettings, readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { connectServices } from '../../../src/services/mastodon/service-control.ts'
import { run } from '../../../src/services/process/run.ts'
import { findTargetBefore } from '../../../src/setup/target.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { ENV } from '../../fakes/fake-world.ts'
import { BOOT, procRoot } from '../../services/mastodon/proc-root.ts'
import { scratch, write } from '../../services/mastodon/scratch.ts'
import { after, prepared, switching } from './switching.ts'

/** A systemctl that does to a /proc what the real one makes Sidekiq do. */
const systemctl = (log: string, proc: string) => `#!/bin/sh
echo "systemctl $*" >> "${log}"
case "$*" in
  *TSTP*) title='sidekiq 7.3.9 live [0 of 5 busy] stopping' ;;
  *mastodon-sidekiq*) title='sidekiq 7.3.9 live [0 of 5 busy]' ;;
  *) exit 0 ;;
esac
printf '%s' "$title" > "${proc}/20/cmdline"
`

async function machine(text: string) {
  const at = await switching()
  const folder = write(scratch(), { '.env.production': text, log: '' })
  const file = join(folder, '.env.production')
  chmodSync(file, 0o640)
  const cgroup = '0::/system.slice/mastodon-sidekiq.service\n'
  const { root, close } = procRoot([
    { pid: 1, parent: 0, start: 0, argv: '/sbin/init' },
    { pid: 20, start: 9, argv: 'sidekiq 7.3.9 live [2 of 5 busy]', cgroup },
  ])
  const log = join(folder, 'log')
  write(folder, { 'bin/systemctl': systemctl(log, root) })
  chmodSync(join(folder, 'bin/systemctl'), 0o755)
  const environment = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` }
  const real = connectServices({
    installation: {
      kind: 'systemd',
      pumaWorkers: true,
      dir: folder,
      units: at.world.place.installation.units,
    },
    asRoot: true,
    ask: () => Promise.reject(new Error('Nobody is to be asked.')),
    now: () => new Date((BOOT + 99) * 1000),
    procRoot: root,
  })
  Object.assign(at.cutover.services, real)
  Object.assign(at.cutover, {
    readEnvFile: async () => ({ ...(await readEnvFile(file)), path: ENV }),
  })
  Object.assign(at.world, {
    envWriter: await envWriter(),
    runner: {
      run: (command: Parameters<typeof run>[0]) => run(command, { environment, timeoutMs: 5_000 }),
    },
  })
  const asked = () => readFileSync(log, 'utf8').trim().split('\n')
  return { ...at, folder, file, real, asked, close }
}

const quiet = 'systemctl kill -s TSTP --kill-who=main mastodon-sidekiq.service'
const restarts = [
  'systemctl restart mastodon-sidekiq.service',
  'systemctl reload-or-restart mastodon-web.service',
]

it('switches a file on disk with real programs', async () => {
  const at = await machine(prepared)
  const { problem, facts } = await at.run().finally(at.close)
  expect(problem).toBeUndefined()
  expect(at.asked()).toEqual([quiet, ...restarts])
  expect(readFileSync(at.file, 'utf8')).toBe(after)
  expect(readFileSync(facts.envWritten?.backup ?? '', 'utf8')).toBe(prepared)
})

it('puts the file back byte for byte with its mode, and Sidekiq works again', async () => {
  const text = `\uFEFF# caf\u00e9\r\n${prepared.replaceAll('\n', '\r\n')}  LAST = 'no line end'`
  const at = await machine(text)
  writeFileSync(at.file, Buffer.concat([Buffer.from(text), Buffer.from([0x20, 0xff])]))
  const before = readFileSync(at.file)
  at.s3.refuse = (verb) => (verb === 'put-parts' ? refusal('s3-500') : undefined)
  const { problem } = await at.run()
  expect(problem?.code).toBe('s3-500')
  expect(Buffer.compare(readFileSync(at.file), before)).toBe(0)
  expect(statSync(at.file).mode & 0o777).toBe(0o640)
  expect(at.asked()).toEqual([quiet, ...restarts, ...restarts])
  expect(await at.real.sidekiq().finally(at.close)).toEqual([{ busy: 0, quiet: false }])
  expect(readdirSync(at.folder).filter((name) => name.startsWith('../../steps'))).toEqual([])
})

it('puts it back so that nothing tells of R2 as if it had been in use', async () => {
  const at = await machine(prepared)
  at.s3.refuse = (verb) => (verb === 'put-parts' ? refusal('s3-500') : undefined)
  await at.run().finally(at.close)
  const envFile = await readEnvFile(at.file)
  const settings = railsSettings(new Map(), [envFile])
  const installation = { ...at.world.place.installation, envFile, envFiles: [envFile], settings }
  expect(envFile.text).toBe(prepared)
  expect(await findTargetBefore(installation, undefined)).toBeUndefined()
  const backups = readdirSync(at.folder).filter((name) => name.endsWith('.bak'))
  expect(backups.map((name) => readFileSync(join(at.folder, name), 'utf8'))).toEqual([prepared])
})
