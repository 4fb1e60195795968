import type { Import } from './imports.ts'

/**
 * The rooms of src, from the roof down. A room imports from the floors below its own; types and
 * what is loaded lazily count as well. Rooms of one floor know nothing of one another.
 */
const floors: readonly (readonly string[])[] = [
  ['init'],
  ['check', 'migrate', 'leave', 'purge'],
  ['rotate', 'undo', 'redirects', 'announce', 'usage'],
  ['moving'],
  ['setup'],
  ['rehearse'],
  ['flow'],
  ['ui'],
  ['plan'],
  [
    'settings',
    'sandbox',
    'services/checkpoint',
    'services/lists',
    'services/cloudflare',
    'services/mastodon',
    'services/media',
    'services/process',
    'services/public-web',
    'services/rclone',
    'services/s3',
  ],
  ['core'],
]

/** A service that runs programs says which ones and how, and reads what they print. */
const runsPrograms = ['services/mastodon', 'services/media', 'services/rclone']

/** They come before the rooms: `node:` and one another at once, all else when it is wanted. */
const start = [
  'cli.ts',
  'columns.ts',
  'completion.ts',
  'commands.ts',
  'help.ts',
  'host.ts',
  'template.ts',
  'topics.ts',
]

/** A folder of src/, a service, or the name of a file that lies in no room. */
export function roomOf(file: string): string {
  const [first = '', second] = file.split('/')
  return first === 'services' && second !== undefined ? `services/${second}` : first
}

/** Whether one room may import from another at all, however it does. */
function isBelow(from: string, to: string): boolean {
  // The stand-in for Cloudflare shares no code with the clients that are tried on it.
  if (from === 'sandbox') return to === 'core'
  if (runsPrograms.includes(from) && to === 'services/process') return true
  const floor = (room: string) => floors.findIndex((rooms) => rooms.includes(room))
  return floor(from) !== -1 && floor(to) > floor(from)
}

/** Rooms that are known above by their types alone: the engine needs no client, a voice no engine. */
function isTypeOnly(from: string, to: string): boolean {
  return from === 'plan' ? to.startsWith('services/') : from === 'ui' && to === 'plan'
}

/** The packages of the bundle: the files that may load each one, and those that may name its types. */
const packages: readonly (readonly [name: RegExp, load: RegExp, types: RegExp])[] = [
  [/^@clack\/prompts$/, /^ui\/clack\.ts$/, /^ui\/clack\.ts$/],
  [/^execa$/, /^services\/process\/run\.ts$/, /^services\/process\/run\.ts$/],
  [/^cloudflare(\/|$)/, /^services\/cloudflare\/sdk\.ts$/, /^(services\/cloudflare|sandbox)\//],
  [/^@aws-sdk\//, /^services\/s3\/client\.ts$/, /^services\/s3\//],
  [/^yaml$/, /^services\/mastodon\/compose\/yaml\.ts$/, /^services\/mastodon\//],
  [/^dotenv$/, /^settings\/env-answers\.ts$/, /^$/],
  [/^zod$/, /^(settings\/.*|plan\/report.*|\w+\/settings\.ts)$/, /^(settings|plan)\//],
  [/^fastest-levenshtein$/, /^core\/nearest\.ts$/, /^$/],
  // Found by path at run time, because it is not part of the package.
  [/^miniflare$/, /^$/, /^sandbox\/r2\//],
]

/** Packages that cost a command its start: nothing loads them before they are wanted. */
export const heavy = /^(@clack\/prompts|execa|cloudflare|@aws-sdk|yaml)(\/|$)/

/** Whether the house allows this import. */
export function isAllowed({ file, kind, target }: Import): boolean {
  if (target.startsWith('node:')) return true
  if (!target.endsWith('.ts')) {
    // Of a CommonJS package the bundler gives the default export alone: a file of ours is between.
    if (kind === 'dynamic') return false
    const [, load, types] = packages.find(([name]) => name.test(target)) ?? []
    return (kind === 'type' ? types : load)?.test(file) === true
  }
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === 'host.ts' || from === 'template.ts' || to === 'cli.ts') return false
  if (start.includes(from)) return kind !== 'value' || start.includes(to)
  if (from === to) return true
  if (to === 'template.ts') return from !== 'core'
  if (to === 'host.ts') return kind === 'type' && isBelow(from, 'plan')
  return isBelow(from, to) && (kind === 'type' || !isTypeOnly(from, to))
}
