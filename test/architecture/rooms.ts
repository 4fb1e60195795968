import type { Import } from './imports.ts'

/** A folder of src/, a service, one of the files that start the program, or `root`. */
export function roomOf(file: string): string {
  const [first = '', second = ''] = file.split('/')
  if (file === 'cli.ts' || file === 'host.ts' || file === 'commands/index.ts') return 'start'
  if (!file.includes('/')) return 'root'
  return first === 'services' ? `services/${second}` : first
}

type Rule = (at: Import, target: string) => boolean

const isPort: Rule = (_, target) => /^services\/[^/]+\/([\w-]+-)?port\.ts$/.test(target)
/** A program with its arguments: a value that plans show and one place runs. */
const isCommand: Rule = (_, target) => target === 'services/process/command.ts'
const isType: Rule = ({ kind }) => kind === 'type'
const room = (...names: string[]): Rule => {
  return (_, target) => names.includes(roomOf(target))
}
const both = (...rules: Rule[]): Rule => {
  return (at, target) => rules.every((rule) => rule(at, target))
}

/** Which files of ours a room may import besides its own. `node:` is open to all. */
const table: readonly (readonly [RegExp, readonly Rule[]])[] = [
  // What is loaded lazily no longer belongs to the start.
  [/^start$/, [({ kind }, target) => kind === 'dynamic' && /^(commands\/|nearest)/.test(target)]],
  [/^commands$/, [() => true]],
  [/^steps$/, [room('plan', 'root'), isPort, isCommand]],
  [/^checks$/, [room('plan', 'steps', 'root'), isPort]],
  [/^plan$/, [room('root'), both(isPort, isType)]],
  [/^settings$/, [room('root'), (_, target) => target === 'ui/port.ts']],
  [/^ui$/, [room('root'), both(room('plan'), isType)]],
  [/^services\//, [room('root'), isCommand]],
  [/^sandbox$/, [room('root')]],
  [/^root$/, []],
]

/** The packages of the bundle: the files that may load each one, and those that may name its types. */
const packages: readonly (readonly [name: RegExp, load: RegExp, types: RegExp])[] = [
  [/^@clack\/prompts$/, /^ui\/clack\.ts$/, /^ui\/clack\.ts$/],
  [/^execa$/, /^services\/process\/run\.ts$/, /^services\/process\/run\.ts$/],
  [/^cloudflare(\/|$)/, /^services\/cloudflare\/client\.ts$/, /^(services\/cloudflare|sandbox)\//],
  [/^@aws-sdk\//, /^services\/s3\/client\.ts$/, /^services\/s3\//],
  [/^yaml$/, /^services\/mastodon\/parse-compose\.ts$/, /^services\/mastodon\//],
  [/^zod$/, /^(settings\/|plan\/(report|comparison|media-survey)\.ts$)/, /^(settings|plan)\//],
  [/^fastest-levenshtein$/, /^nearest\.ts$/, /^$/],
  // Found by path at run time, because it is not part of the package.
  [/^miniflare$/, /^$/, /^sandbox\/r2\//],
]

/** Whether the house's table allows this import. */
export function isAllowed(at: Import): boolean {
  const { file, kind, target } = at
  if (target.startsWith('node:')) return true
  if (!target.endsWith('.ts')) {
    // Of a CommonJS package the bundler gives the default export alone: a file of ours is between.
    if (kind === 'dynamic') return false
    const [, load, types] = packages.find(([name]) => name.test(target)) ?? []
    return (kind === 'type' ? types : load)?.test(file) === true
  }
  const from = roomOf(file)
  if (roomOf(target) === from) return true
  if (target === 'cli.ts') return false
  if (target === 'host.ts') return from === 'commands'
  return table.find(([name]) => name.test(from))?.[1].some((rule) => rule(at, target)) === true
}
