import type { Program, ProgramCall, Service } from './programs.ts'

export type Units = ReadonlyMap<string, Service>

/** systemctl for a machine with these units, of type `simple`: those verbs that Mastodon's admins use. */
export function systemctl(units: Units): Program {
  return async (call) => {
    const { verb, names, option } = readArguments(call.args)
    if (verb === 'list-units') return listUnits(units, names, call)
    if (verb === 'show') return show(units, names, option('property') ?? option('p'), call)
    if (verb === 'is-active' || verb === 'status') return isActive(units, names, call)
    const act = actions[verb]
    if (!act) {
      call.err(`Unknown command verb ${verb}.`)
      return 1
    }
    const found = names.flatMap((name) => matching(units, name, call, verb))
    if (names.length === 0) call.err('Too few arguments.')
    if (names.length === 0 || found.includes(undefined)) return names.length === 0 ? 1 : 5
    const signal = (option('signal') ?? option('s') ?? 'SIGTERM').replace(/^(SIG)?/, 'SIG')
    const services = found.filter((one) => one !== undefined)
    const codes = await Promise.all(
      services.map((service) => act(service, signal as NodeJS.Signals, call)),
    )
    return Math.max(0, ...codes)
  }
}

type Action = (service: Service, signal: NodeJS.Signals, call: ProgramCall) => Promise<number>

const restart: Action = async (service) => {
  await service.stop()
  await service.start()
  return 0
}
const reload: Action = async (service, _, { err }) => {
  if (service.role === 'web' && service.pid !== undefined) {
    service.reload()
    return 0
  }
  err(`Job type reload is not applicable for unit ${unitOf(service)}.`)
  return 1
}
const actions: Readonly<Record<string, Action>> = {
  start: async (service) => service.start().then(() => 0),
  stop: async (service) => service.stop().then(() => 0),
  restart,
  'try-restart': async (service, ...rest) =>
    service.pid === undefined ? 0 : restart(service, ...rest),
  reload,
  'reload-or-restart': (service, ...rest) => {
    const reloads = service.role === 'web' && service.pid !== undefined
    return (reloads ? reload : restart)(service, ...rest)
  },
  kill: async (service, signal, { err }) => {
    if (service.pid === undefined) {
      err(`Failed to kill unit ${unitOf(service)}: Unit ${unitOf(service)} is not loaded.`)
      return 1
    }
    service.kill(signal)
    return 0
  },
}

/** A pattern finds what is loaded, which of these is what runs; a plain name has to be known. */
function matching(
  units: Units,
  name: string,
  { err }: ProgramCall,
  verb: string,
): (Service | undefined)[] {
  if (/[*?[]/.test(name)) return matchingAll(units, name).filter(({ pid }) => pid !== undefined)
  const service = units.get(name.replace(/\.service$/, ''))
  if (!service) err(`Failed to ${verb} ${name}: Unit ${name} not found.`)
  return [service]
}

function matchingAll(units: Units, pattern: string): Service[] {
  const literal = pattern.replace(/\.service$/, '').replace(/[.+^${}()|\\]/g, '\\$&')
  const form = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return [...units].filter(([name]) => form.test(name)).map(([, service]) => service)
}

function isActive(units: Units, names: readonly string[], { out }: ProgramCall): number {
  const states = names
    .flatMap((name) => matchingAll(units, name))
    .map(({ pid }) => (pid === undefined ? 'inactive' : 'active'))
  for (const state of states.length > 0 ? states : ['inactive']) out(state)
  return states.includes('active') ? 0 : 3
}

function listUnits(units: Units, names: readonly string[], { out }: ProgramCall): number {
  const patterns = names.length > 0 ? names : ['*']
  for (const service of patterns.flatMap((name) => matchingAll(units, name))) {
    if (service.pid === undefined) continue
    out(`  ${unitOf(service).padEnd(26)} loaded active running ${unitOf(service)}`)
  }
  return 0
}

function show(
  units: Units,
  names: readonly string[],
  only: string | undefined,
  { out }: ProgramCall,
): number {
  for (const service of names.flatMap((name) => matchingAll(units, name))) {
    const properties = {
      Id: unitOf(service),
      LoadState: 'loaded',
      ActiveState: service.pid === undefined ? 'inactive' : 'active',
      MainPID: service.pid ?? 0,
    }
    for (const [name, value] of Object.entries(properties)) {
      if (only === undefined || only.split(',').includes(name)) out(`${name}=${value}`)
    }
  }
  return 0
}

function unitOf({ role }: Service): string {
  return `mastodon-${role}.service`
}

/** `-s TSTP`, `--signal=TSTP` and switches, in any place. */
function readArguments(args: readonly string[]) {
  const options = new Map<string, string>()
  const words: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    const [, long, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? []
    if (long !== undefined) options.set(long, value ?? '')
    else if (/^-[spnt]$/.test(word)) options.set(word.slice(1), args[++at] ?? '')
    else if (!/^-[a-z]+$/.test(word)) words.push(word)
  }
  const [verb = '', ...names] = words
  return { verb, names, option: (name: string) => options.get(name) }
}
