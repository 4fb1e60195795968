import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { RunningProcess } from '../../services/mastodon/processes-port.ts'
import { judgeFreshness } from '../../setup/freshness.ts'
import { restartLine } from './restart-lines.ts'

type Needs = 'installation' | 'processes'
type At = Pick<CheckWorld, Needs>

interface Changed {
  readonly path: string
  readonly at: Date
}

/** Processes that began before the settings changed go on with the old ones (mastodon#34602, #20434). */
export const runningSettings: Check<Needs> = {
  id: 'running-settings',
  about: 'Mastodon',
  title: 'Settings in use',
  cost: 'look',
  async look(at) {
    const changed = await lastChange(at)
    const running = await at.processes.running()
    if (running === undefined) {
      return [{ severity: 'skipped', saw: "Mastodon's processes can't be seen from here" }]
    }
    const users = running.filter(({ role }) => role !== 'streaming')
    if (users.length === 0) return [noneRuns(at)]
    if (changed === undefined) return [{ severity: 'skipped', saw: 'there is no env file' }]
    const old = users.flatMap((one) => staleness(at, one, changed))
    const missing = (['web', 'sidekiq'] as const).filter(
      (role) => !users.some((one) => one.role === role),
    )
    const found = [...old, ...missing.map((role) => elsewhere(at, role))]
    if (found.length > 0) return found
    return [{ severity: 'ok', saw: `${users.length} processes began after the last change` }]
  },
}

/** Of all files that hand settings to Mastodon; a container takes them from the compose file, too. */
async function lastChange({ installation, processes }: At): Promise<Changed | undefined> {
  const { kind, composeFile, envFiles } = installation
  const compose = kind === 'docker' && composeFile !== undefined ? [composeFile] : []
  const paths = new Set([...envFiles.map(({ path }) => path), ...compose])
  const times = await Promise.all(
    [...paths].map(async (path) => ({ path, at: await processes.changedAt(path) })),
  )
  return times
    .flatMap(({ path, at }) => (at === undefined ? [] : [{ path, at }]))
    .reduce<Changed | undefined>((last, one) => (last && last.at >= one.at ? last : one), undefined)
}

function staleness({ installation }: At, seen: RunningProcess, changed: Changed): Verdict[] {
  if (judgeFreshness([seen], changed.at).is !== 'old') return []
  const { name, startedAt } = seen
  const isDocker = installation.kind === 'docker'
  const next = typed(restartLine(installation, seen))
  if (startedAt > changed.at) {
    return [
      {
        severity: 'warning',
        saw: `${name} may be running with old settings: its workers are young, the Puma above them began before ${changed.path} changed (${time(changed.at)}).`,
        matters: 'A worker that was only replaced after a crash keeps the old settings.',
        next: next.replace('reload-or-restart', 'restart'),
      },
    ]
  }
  return [
    {
      severity: 'fault',
      saw: `${name} is running with old settings: ${isDocker ? 'created' : 'started'} ${time(startedAt)}, ${changed.path} changed ${time(changed.at)}.`,
      matters: isDocker
        ? 'A container keeps the settings that it was created with; "docker compose restart" does not change that.'
        : 'Mastodon reads its settings at the start only: uploads can go to the old place or fail with an old key.',
      next,
    },
  ]
}

function noneRuns({ installation }: At): Verdict {
  if (installation.kind === 'none') return { severity: 'skipped', saw: 'no Mastodon runs here' }
  const command =
    installation.kind === 'docker'
      ? typed(restartLine(installation, {}))
      : typed("systemctl list-units 'mastodon*' --all")
  return {
    severity: 'warning',
    saw: 'No process of Mastodon is running here.',
    matters: 'So nothing uploads, and what it would use can not be told.',
    next: command,
  }
}

function elsewhere({ installation }: At, role: 'web' | 'sidekiq'): Verdict {
  const what = role === 'web' ? 'web process (Puma)' : 'Sidekiq'
  const isExpected = installation.units[role].length > 0 || installation.kind === 'docker'
  return {
    severity: isExpected ? 'warning' : 'note',
    saw: `No ${what} is running here.`,
    matters:
      role === 'web'
        ? 'Uploads come in through it. On another machine, it needs the same settings.'
        : "Sidekiq fetches and stores other servers' media. On another machine, it needs the same settings.",
    next:
      installation.kind === 'docker'
        ? typed(restartLine(installation, { role }))
        : `If it belongs here:\n  sudo systemctl start ${installation.units[role].join(' ') || `mastodon-${role}`}`,
  }
}

function typed(command: string): string {
  return `Type this:\n  ${command}`
}

function time(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')
}
