import { shellLine, shellWord } from '../../core/shell-word.ts'
import { asRoot, prose, type Text } from '../../core/to-type.ts'
import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { Installation, RunningProcess } from '../../services/mastodon/port.ts'
import { howToReach, type Lack } from '../../setup/reach.ts'
import { judgeFreshness, lastChange, restartOf, type SettingsChange } from '../../setup/restart.ts'

type Kind = Pick<
  Installation,
  'kind' | 'dir' | 'units' | 'pumaWorkers' | 'services' | 'composeNames'
>

/**
 * The command that makes one process read its settings anew. `docker compose restart` would keep a
 * container's old environment; Puma with workers takes new values on a reload, all else needs a
 * restart.
 */
export function restartLine(
  installation: Kind,
  part: Partial<RunningProcess>,
  isDoubtful = false,
): Text {
  const { kind, dir, units, pumaWorkers } = installation
  const { role, name } = part
  // Where only the time of a file is new, or it is mounted, "up -d" alone makes no container anew.
  const anew = kind === 'docker' && name !== undefined ? restartOf([name], installation) : undefined
  if (anew !== undefined) return anew
  if (kind === 'docker') return `cd ${shellWord(dir ?? '.')} && docker compose up -d`
  const unit = name?.endsWith('.service') ? name : undefined
  if (role === 'sidekiq') {
    const all = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
    return asRoot(`systemctl restart ${shellLine(unit ? [unit] : all)}`)
  }
  const all = units.web.length > 0 ? units.web : ['mastodon-web.service']
  const reloads = !isDoubtful && (pumaWorkers || part.below !== undefined)
  const verb = reloads ? 'reload-or-restart' : 'restart'
  return asRoot(`systemctl ${verb} ${shellLine(unit ? [unit] : all)}`)
}

type Needs = 'installation' | 'processes'
type At = Pick<CheckWorld, Needs>

/** Processes that began before the settings changed go on with the old ones (mastodon#34602, #20434). */
export const runningSettings: Check<Needs> = {
  id: 'running-settings',
  about: 'Mastodon',
  title: 'Settings in use',
  cost: 'look',
  async look(at) {
    const changed = await lastChange(at.installation, at.processes)
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

/** As precise as the start of a process is known; what is told lies never behind the real start. */
const SECOND_MS = 1000

function staleness({ installation }: At, seen: RunningProcess, changed: SettingsChange): Verdict[] {
  if (judgeFreshness([seen], changed.at).is !== 'old') return []
  const { name, startedAt, isHanded = false } = seen
  const isDocker = installation.kind === 'docker'
  const isUnit = installation.unitFiles?.includes(changed.path) === true
  const atStart = isHanded || isUnit
  const reread = isUnit ? prose`${asRoot('systemctl daemon-reload')} && ` : ''
  const next = typed(prose`${reread}${restartLine(installation, seen, isUnit)}`)
  if (startedAt > changed.at) {
    return [
      {
        severity: 'warning',
        saw: `${name} may be running with old settings: its workers are young, the Puma above them began before ${changed.path} changed (${time(changed.at)}).`,
        matters: 'A worker that was only replaced after a crash keeps the old settings.',
        next: typed(restartLine(installation, seen, true)),
      },
    ]
  }
  if (!isDocker && !atStart && seen.role === 'web' && seen.below === undefined) {
    return [
      {
        severity: 'warning',
        saw: `${name} may be running with old settings: it started ${time(startedAt)}, ${changed.path} changed ${time(changed.at)}.`,
        matters:
          'Puma runs without workers here. It then keeps its start time over a reload, so nothing tells whether there was one.',
        next,
      },
    ]
  }
  if (!isDocker && changed.at.getTime() < startedAt.getTime() + SECOND_MS) {
    return [
      {
        severity: 'warning',
        saw: `${name} may be running with old settings: it started in the second in which ${changed.path} changed (${time(changed.at)}).`,
        matters: 'When a process began is known to the second, so which of both came first is not.',
        next,
      },
    ]
  }
  return [
    {
      severity: 'fault',
      saw: `${name} is running with old settings: ${isDocker ? 'created' : 'started'} ${time(startedAt)}, ${changed.path} changed ${time(changed.at)}.`,
      matters: isDocker
        ? 'A container keeps the settings that it was created with; "docker compose restart" does not change that.'
        : atStart
          ? 'systemd hands it its settings at the start, and a reload does not change that: uploads can go to the old place or fail with an old key.'
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
        : prose`If it belongs here:\n  ${asRoot(`systemctl start ${shellLine(unitsOf(installation, role))}`)}`,
  }
}

function unitsOf({ units }: Installation, role: 'web' | 'sidekiq'): readonly string[] {
  return units[role].length > 0 ? units[role] : [`mastodon-${role}`]
}

function typed(command: Text): Text {
  return prose`Type this:\n  ${command}`
}

function time(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')
}

const STORAGE = /^(S3_|AWS_)|^EXTRA_MEDIA_HOSTS$/

type Reads = 'installation' | 'envReader'

/** Web and every Sidekiq: containers know only what compose hands to them, units what systemd does. */
export const serviceSettings: Check<Reads> = {
  id: 'service-settings',
  about: 'Mastodon',
  title: 'Settings of every service',
  cost: 'look',
  async look({ installation, envReader }) {
    const { services = [], compose } = installation
    if (services.length === 0) return [{ severity: 'skipped', saw: 'no service is known here' }]
    const refused = (compose?.refused ?? []).map((reason) => refusal(installation, reason))
    const found = [...refused, ...unread(installation), ...lacking(installation, envReader)]
    if (found.length > 0) return found
    const names = services.map(({ name }) => name.replace(/\.service$/, '')).join(', ')
    return [{ severity: 'ok', saw: `the same for ${names}` }]
  },
}

function refusal({ composeFile = '', dir = '.' }: Installation, reason: string): Verdict {
  return {
    severity: 'fault',
    saw: `Docker Compose refuses ${composeFile}: ${reason.replace(/\.?$/, '.')}`,
    matters: 'The containers go on with what they have, and none can be made anew.',
    next: `This shows whether it is mended:\n  cd ${shellWord(dir)} && docker compose config --quiet`,
  }
}

function unread({ compose, dir = '.' }: Installation): Verdict[] {
  return (compose?.unread ?? []).map((what) => ({
    severity: 'warning' as const,
    saw: `Only docker compose can read this, and it is not installed here: ${what}.`,
    matters: 'So the settings of the containers are not known for sure.',
    next: `Type this where docker compose is:\n  cd ${shellWord(dir)} && docker compose config`,
  }))
}

/** Measured against what the env file says, and against the settings that count for the whole. */
function lacking(installation: Installation, envReader: CheckWorld['envReader']): Verdict[] {
  const { envFile, settings, services = [] } = installation
  const written = envReader
    .statements(envFile.text)
    .flatMap(({ active, key }) => (active && STORAGE.test(key) ? [key] : []))
  const found = services.flatMap((service): Lack[] => {
    const missing = [...new Set(written)].filter((name) => !service.settings.has(name))
    const names = new Set([...settings.keys(), ...service.settings.keys()])
    const differing = [...names].filter((name) => {
      const [whole, own] = [settings.get(name), service.settings.get(name)]
      return STORAGE.test(name) && !missing.includes(name) && whole?.value !== own?.value
    })
    const from = (of: Installation['settings']) =>
      differing.flatMap((name) => {
        const found = of.get(name)
        return found ? [{ name, from: found.from }] : []
      })
    const other = from(service.settings)
    const alone = from(settings).filter(({ name }) => !service.settings.has(name))
    return missing.length + differing.length > 0 ? [{ service, missing, other, alone }] : []
  })
  if (found.length === 0) return []
  const { what, why, next } = howToReach(installation, envFile, found)
  const restart =
    installation.kind === 'docker'
      ? prose`\nThen type this:\n  ${restartLine(installation, {})}`
      : ''
  return [{ severity: 'fault', saw: what, matters: why, next: prose`${next}${restart}` }]
}
