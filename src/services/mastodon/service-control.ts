import { commandLine, type PlacedCommand } from '../process/port.ts'
import { type Ask, composeCommand } from './compose/judge.ts'
import type { Installation, ServiceCommands, ServicesPort, SidekiqProcess } from './port.ts'
import { belonging, readProcesses } from './processes.ts'

type Kind = Pick<
  Installation,
  'kind' | 'dir' | 'units' | 'neighbours' | 'pumaWorkers' | 'services' | 'composeNames'
>

export interface ServiceOptions {
  readonly installation: Kind
  readonly asRoot: boolean
  /** Runs Docker's client, which is asked for the processes in containers. */
  readonly ask: Ask
  readonly now: () => Date
  /** `/proc` unless told. */
  readonly procRoot?: string
}

/** How Mastodon's services are quieted, stopped and started here. Nothing is run by it but looks. */
export function connectServices(options: ServiceOptions): ServicesPort {
  const { installation, asRoot } = options
  return {
    commands: serviceCommands(installation, asRoot),
    sidekiq: () => (installation.kind === 'docker' ? inContainers(options) : onMachine(options)),
  }
}

export function serviceCommands(kind: Kind, asRoot: boolean): ServiceCommands | undefined {
  if (kind.kind === 'none') return undefined
  if (kind.kind === 'systemd' && isUnsure(kind)) return undefined
  return kind.kind === 'docker' ? composeCommands(kind) : systemdCommands(kind, asRoot)
}

/** Usual names would be those of another Mastodon on this machine, whose Sidekiq is not ours to stop. */
function isUnsure({ units, neighbours = [] }: Pick<Installation, 'units' | 'neighbours'>): boolean {
  return neighbours.length > 0 && (units.web.length === 0 || units.sidekiq.length === 0)
}

/**
 * What makes Puma read its settings anew, so that it can be proven: a reload only where it has
 * workers. A web unit without ExecReload can only be restarted.
 */
function renewal(pumaWorkers: boolean | undefined): 'reload-or-restart' | 'restart' {
  return pumaWorkers === true ? 'reload-or-restart' : 'restart'
}

function systemdCommands({ units, pumaWorkers }: Kind, asRoot: boolean): ServiceCommands {
  const systemctl = (...args: string[]): PlacedCommand[] => {
    const [program = '', ...before] = asRoot ? ['systemctl'] : ['sudo', 'systemctl']
    const command = { program, args: [...before, ...args], env: {} }
    return [{ command, line: commandLine(command) }]
  }
  const web = units.web.length > 0 ? units.web : ['mastodon-web.service']
  // A pattern finds only what runs, so it is of no use to start what is stopped.
  const known = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq.service']
  const running = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
  return {
    // Only Sidekiq itself: the signal would freeze an ffmpeg that a job waits for.
    quiet: systemctl('kill', '-s', 'TSTP', '--kill-who=main', ...running),
    wake: systemctl('restart', ...running),
    stop: systemctl('stop', ...web, ...known),
    start: systemctl('start', ...known, ...web),
    restart: [...systemctl('restart', ...running), ...systemctl(renewal(pumaWorkers), ...web)],
    reloadWeb: systemctl(renewal(pumaWorkers), ...web),
  }
}

/** A container keeps its environment, and a mounted env file is no reason for compose to renew it. */
function composeCommands({ dir, services = [], composeNames }: Kind): ServiceCommands {
  const names = (role: 'web' | 'sidekiq') => {
    const own = services.filter((service) => service.role === role).map(({ name }) => name)
    return own.length > 0 ? own : [role]
  }
  const compose = (...args: string[]): PlacedCommand[] => {
    const command = composeCommand(args, { composeNames })
    const line = commandLine(command)
    if (dir === undefined) return [{ command, line }]
    const enter = commandLine({ program: 'cd', args: [dir], env: {} })
    return [{ command, cwd: dir, line: `${enter} && ${line}` }]
  }
  const renew = (...of: string[]) => compose('up', '-d', '--no-deps', '--force-recreate', ...of)
  const [web, sidekiq] = [names('web'), names('sidekiq')]
  return {
    quiet: compose('kill', '-s', 'TSTP', ...sidekiq),
    wake: compose('restart', ...sidekiq),
    stop: compose('stop', ...web, ...sidekiq),
    start: renew(...sidekiq, ...web),
    restart: renew(...sidekiq, ...web),
    reloadWeb: renew(...web),
  }
}

async function onMachine({ installation, now, procRoot = '/proc' }: ServiceOptions) {
  const all = await readProcesses(procRoot, now())
  if (all === undefined) return undefined
  const found: SidekiqProcess[] = []
  for (const { pid, title } of all) {
    const seen = sidekiqIn(title)
    // Other programs use Sidekiq, too, and so does another Mastodon.
    if (seen.length > 0 && (await belonging(procRoot, pid, installation)).isOwn) found.push(...seen)
  }
  return found
}

async function inContainers({ installation, ask }: ServiceOptions) {
  const { dir, services = [], composeNames } = installation
  const own = services.filter(({ role }) => role === 'sidekiq').map(({ name }) => name)
  const command = composeCommand(['top', ...(own.length > 0 ? own : ['sidekiq'])], { composeNames })
  try {
    const { exitCode, stdout } = await ask(command, dir)
    return exitCode === 0 ? stdout.split('\n').flatMap(sidekiqIn) : undefined
  } catch {
    return undefined
  }
}

/** The title that Sidekiq gives itself about every ten seconds (its lib/sidekiq/launcher.rb). */
const TITLE = /(?:^|\s)sidekiq \d[\w.-]* .*\[(\d+) of \d+ busy\](?: (stopping|quiet))?/

function sidekiqIn(text: string): SidekiqProcess[] {
  const [found, busy, state] = TITLE.exec(text) ?? []
  return found === undefined ? [] : [{ busy: Number(busy), quiet: state !== undefined }]
}

/** What makes Mastodon read its settings anew; empty when it is not known how it is started. */
export function restartCommands(
  installation: Kind,
  { asRoot }: { readonly asRoot: boolean },
): readonly PlacedCommand[] {
  return serviceCommands(installation, asRoot)?.restart ?? []
}
