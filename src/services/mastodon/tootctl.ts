import { existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Command, commandLine, type PlacedCommand } from '../process/port.ts'
import { composeCommand } from './compose/judge.ts'
import type { Installation, TootctlPort } from './port.ts'

export interface TootctlOptions {
  readonly asRoot: boolean
  /** Of this process; asked of the system unless told. */
  readonly userId?: number
  /** `/etc/passwd` unless told. */
  readonly passwd?: string
  /** For this call alone: they come before Mastodon's env files. */
  readonly variables?: Readonly<Record<string, string>>
}

type Installed = Pick<Installation, 'kind' | 'dir' | 'services' | 'composeNames'>

interface Owner {
  readonly id: number
  readonly name: string
  readonly home: string
}

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * tootctl the way Mastodon's docs (admin/tootctl) run it: as the owner of Mastodon's folder with
 * RAILS_ENV and rbenv's Ruby, or in a container of the web service that goes afterwards.
 */
export function connectTootctl(installation: Installed, options: TootctlOptions): TootctlPort {
  return { command: (args) => programCommand(installation, ['bin/tootctl', ...args], options) }
}

/** The same for `bin/rails`, such as `rails runner`. */
export function railsCommand(
  installation: Installed,
  args: readonly string[],
  options: TootctlOptions,
): PlacedCommand | undefined {
  return programCommand(installation, ['bin/rails', ...args], options)
}

/**
 * Looks on the disk for what the database does not know, whatever storage the settings name; to type.
 * Without `--dry-run` it removes that.
 */
export function orphansOnDisk(
  installation: Installed,
  options: TootctlOptions,
): PlacedCommand | undefined {
  const variables = { S3_ENABLED: 'false' }
  const words = ['bin/tootctl', 'media', 'remove-orphans', '--dry-run'] as const
  return programCommand(installation, words, { ...options, variables })
}

function programCommand(
  installation: Installed,
  words: readonly [program: string, ...args: string[]],
  options: TootctlOptions,
): PlacedCommand | undefined {
  const { kind, dir } = installation
  if (kind === 'none' || dir === undefined) return undefined
  if (kind === 'docker') return placed(inContainer(installation, words, options), dir)
  return onMachine(dir, words, options)
}

function inContainer(
  { services = [], composeNames }: Pick<Installation, 'services' | 'composeNames'>,
  words: readonly string[],
  { variables = {} }: Pick<TootctlOptions, 'variables'>,
): Command {
  const set = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const name = services.find(({ role }) => role === 'web')?.name ?? 'web'
  // -T: nobody types into it, and its lines are read one by one.
  return composeCommand(['run', '--rm', '-T', ...set, name, ...words], { composeNames })
}

function onMachine(
  dir: string,
  [program, ...args]: readonly [program: string, ...args: string[]],
  { asRoot, userId = userInfo().uid, passwd = '/etc/passwd', variables = {} }: TootctlOptions,
): PlacedCommand {
  const id = statSync(dir, { throwIfNoEntry: false })?.uid ?? userId
  const owner = readOwner(passwd, id)
  const shims = owner && join(owner.home, '.rbenv/shims')
  const path = shims !== undefined && existsSync(shims) ? `${shims}:${USUAL_PATH}` : undefined
  const settings = {
    RAILS_ENV: 'production',
    ...(path !== undefined && { PATH: path }),
    ...variables,
  }
  if (id === userId) return placed({ program, args, env: settings }, dir)
  // sudo and runuser keep or clear the environment as they were set up to; env says what holds.
  const home = owner === undefined ? {} : { HOME: owner.home }
  const words = Object.entries({ ...home, ...settings }).map(([key, value]) => `${key}=${value}`)
  const rest = [...words, program, ...args]
  if (asRoot && owner !== undefined) {
    const line = ['-u', owner.name, '--', 'env', ...rest]
    return placed({ program: 'runuser', args: line, env: {} }, dir)
  }
  // The folder may be closed to who types this, so it is entered as its owner.
  const line = ['-u', owner?.name ?? `#${id}`, 'env', '-C', dir, ...rest]
  const command = { program: 'sudo', args: line, env: {} }
  return { command, line: commandLine(command) }
}

/** An account of /etc/passwd (passwd(5)); one that stands elsewhere, such as in LDAP, is not found. */
function readOwner(passwd: string, id: number): Owner | undefined {
  let text = ''
  try {
    text = readFileSync(passwd, 'utf8')
  } catch {
    return undefined
  }
  for (const line of text.split('\n')) {
    const [name = '', , uid, , , home = ''] = line.split(':')
    if (uid === String(id) && name !== '') return { id, name, home }
  }
  return undefined
}

function placed(command: Command, dir: string): PlacedCommand {
  const enter = commandLine({ program: 'cd', args: [dir], env: {} })
  return { command, cwd: dir, line: `${enter} && ${commandLine(command)}` }
}
