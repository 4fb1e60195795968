import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Machine } from '../e2e/machine.ts'

/** Programs that stand in for systemctl and docker; the processes that they start are real. */
export interface FakeServices {
  /** For the program under test: these programs first. */
  readonly env: Readonly<Record<string, string>>
  /** What was asked of them, one line a call. */
  asked(): string[]
  /** Restarts as a person would. */
  restart(): Promise<void>
  stop(): void
}

const run = promisify(execFile)

const SYSTEMCTL = `#!/bin/bash
echo "systemctl $*" >> "$FAKE_RUN/asked"
echo "fake systemctl: $1"
case "$*" in
  *web*) name=puma ;;
  restart*) name=sidekiq ;;
  *) exit 1 ;;
esac
[ -f "$FAKE_RUN/$name.pid" ] && kill "$(cat "$FAKE_RUN/$name.pid")"
(cd "$FAKE_LIVE" && exec -a "$name" sleep 90) </dev/null >/dev/null 2>&1 &
echo $! > "$FAKE_RUN/$name.pid"
`

const DOCKER = `#!/bin/bash
case "$*" in
  "compose up -d"*) echo "docker $* in $PWD" >> "$FAKE_RUN/asked"; date -u +%Y-%m-%dT%H:%M:%S.%NZ > "$FAKE_RUN/created" ;;
  "compose ps --quiet") printf 'a\\nb\\n' ;;
  inspect*)
    for name in web sidekiq; do
      printf '{"name":"/live-%s-1","created":"%s","command":["bundle"],"labels":{"com.docker.compose.service":"%s"}}\\n' \\
        $name "$(cat "$FAKE_RUN/created")" $name
    done ;;
  *) exit 1 ;;
esac
`

const SUDO = '#!/bin/bash\nexec "$@"\n'

export function fakeServices(machine: Machine): FakeServices {
  const [bin, folder] = [join(machine.home, 'bin'), join(machine.home, 'run')]
  for (const path of [bin, folder]) mkdirSync(path)
  // The program hands no variable of ours on to them, so where things are stands in their own text.
  const places = `FAKE_RUN='${folder}'\nFAKE_LIVE='${machine.dir}'\n`
  for (const [name, text] of Object.entries({ systemctl: SYSTEMCTL, docker: DOCKER, sudo: SUDO })) {
    writeFileSync(join(bin, name), text.replace('#!/bin/bash\n', `#!/bin/bash\n${places}`))
    chmodSync(join(bin, name), 0o755)
  }
  writeFileSync(join(folder, 'asked'), '')
  writeFileSync(join(folder, 'created'), '2020-01-01T00:00:00Z')
  const env = { PATH: `${bin}:${process.env.PATH}` }
  return {
    env,
    asked: () => readFileSync(join(folder, 'asked'), 'utf8').split('\n').filter(Boolean),
    async restart() {
      for (const unit of ['mastodon-sidekiq', 'mastodon-web']) {
        await run(join(bin, 'systemctl'), ['restart', unit], { env, timeout: 10_000 })
      }
    },
    stop() {
      for (const name of readdirSync(folder).filter((file) => file.endsWith('.pid'))) {
        try {
          process.kill(Number(readFileSync(join(folder, name), 'utf8')))
        } catch {
          // It has ended by itself.
        }
      }
    },
  }
}
