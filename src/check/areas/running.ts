import { shellLine, shellWord } from '../../core/shell-word.ts'
import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { ComposedService, Installation, RunningProcess } from '../../services/mastodon/port.ts'
import { judgeFreshness } from '../../setup/restart.ts'

type Kind = Pick<Installation, 'kind' | 'dir' | 'units'>

/**
 * The command that makes one process read its settings anew. `docker compose restart` would keep a
 * container's old environment; Puma takes new values on a reload, Sidekiq needs a restart.
 */
export function restartLine({ kind, dir, units }: Kind, part: Partial<RunningProcess>): string {
  if (kind === 'docker') return `cd ${shellWord(dir ?? '.')} && docker compose up -d`
  const { role, name } = part
  const unit = name?.endsWith('.service') ? name : undefined
  if (role === 'sidekiq') {
    const all = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
    return `sudo systemctl restart ${shellLine(unit ? [unit] : all)}`
  }
  const all = units.web.length > 0 ? units.web : ['mastodon-web.service']
  return `sudo systemctl reload-or-restart ${shellLine(unit ? [unit] : all)}`
}

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
        : `If it belongs here:\n  sudo systemctl start ${shellLine(unitsOf(installation, role))}`,
  }
}

function unitsOf({ units }: Installation, role: 'web' | 'sidekiq'): readonly string[] {
  return units[role].length > 0 ? units[role] : [`mastodon-${role}`]
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

const STORAGE = /^(S3_|AWS_)|^EXTRA_MEDIA_HOSTS$/

/** Containers know only what the compose file hands to each of them: `env_file` or `environment`. */
export const containerSettings: Check<'installation'> = {
  id: 'compose-env-file',
  about: 'Mastodon',
  title: 'Settings of the containers',
  cost: 'look',
  async look({ installation }) {
    if (installation.kind !== 'docker') return [{ severity: 'skipped', saw: 'no Docker Compose' }]
    const { services = [] } = installation
    const found = services.flatMap((service) => lacking(installation, service))
    if (found.length > 0) return found
    const names = services.map(({ name }) => name).join(', ')
    return [{ severity: 'ok', saw: `handed to ${names || 'Mastodon'}` }]
  },
}

/** Measured against the env file when the web service reads none, else against the web service. */
function lacking(installation: Installation, service: ComposedService): Verdict[] {
  const { envFile, composeFile, services = [] } = installation
  const file = composeFile ?? 'the compose file'
  if (service.envFiles.length === 0 && envFile.exists) {
    const own = [...service.settings.keys()].filter((name) => STORAGE.test(name))
    if (own.length === 0) return [noEnvFile(service, file, envFile.path)]
  }
  const web = services.find(({ role }) => role === 'web')
  if (web === undefined || web === service) return []
  const names = [...new Set([...web.settings.keys(), ...service.settings.keys()])]
  const different = names.filter(
    (name) =>
      STORAGE.test(name) && web.settings.get(name)?.value !== service.settings.get(name)?.value,
  )
  if (different.length === 0) return []
  return [
    {
      severity: 'fault',
      saw: `${file} hands other storage settings to ${service.name} than to ${web.name}: ${different.join(', ')}.`,
      matters: 'The two would store media in different places, or one of them not at all.',
      next: `Give both the same env_file and environment in ${file}, then:\n  docker compose -f ${shellWord(file)} up -d`,
    },
  ]
}

function noEnvFile({ name }: ComposedService, file: string, path: string): Verdict {
  return {
    severity: 'fault',
    saw: `${file} does not hand ${path} to the service ${name}.`,
    matters:
      "Mastodon's image holds no env file: without env_file the container knows nothing of the storage.",
    next: `Put the line "env_file: ${path}" below "${name}:" in ${file}, then:\n  docker compose -f ${shellWord(file)} up -d`,
  }
}
