import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { shellWord } from '../core/shell-word.ts'
import { asRoot, prose, type Text } from '../core/to-type.ts'
import { hindrances, isSingle, SINGLE_REQUEST, storageBlock } from '../flow/mastodon-here.ts'
import {
  type EnvWriter,
  type Finding,
  learned,
  type Setup,
  type Step,
  type World,
} from '../plan/step.ts'
import { readStatements } from '../services/mastodon/env-text.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import {
  EXTRA_HOSTS,
  hostBefore,
  keptHosts,
  knowsExtraHosts,
  withExtraHost,
} from './media-hosts.ts'
import { unreachedBy } from './reach.ts'

type Read = Pick<Installation, 'envFiles' | 'settings'>

/**
 * Problem `env-file-shadowed` where something stronger than this file (a file that is read before
 * it, a systemd unit, the compose file) sets one of the values to something else: writing would look
 * done and change nothing. `instead`: what else could be done about it.
 */
export function shadowed(
  { envFiles, settings }: Read,
  { path: own }: Pick<EnvFileOnDisk, 'path'>,
  values: ReadonlyMap<string, string>,
  instead = 'and run this again',
): Problem | undefined {
  const files = envFiles.map(({ path }) => path)
  const rank = files.indexOf(own)
  const stronger = [...values].flatMap(([name, wanted]) => {
    const now = settings.get(name)
    if (!now || now.value === wanted || now.from === own) return []
    const nowRank = files.indexOf(now.from)
    const isWeaker = nowRank >= 0 && (rank < 0 ? isBase(now.from) : nowRank > rank)
    return isWeaker ? [] : [{ name, from: now.from }]
  })
  const [first] = stronger
  if (!first) return undefined
  const names = stronger.map(({ name }) => name).join(', ')
  return new Problem({
    code: 'env-file-shadowed',
    what: `${first.from} sets ${names}, and wins over ${own}.`,
    why: 'Mastodon would go on with the old values, whatever is written.',
    next: `Remove those lines from ${first.from}, ${instead}.`,
    exit: 2,
  })
}

/**
 * The same, before each service is looked at as it will be (`unreachedBy`): there it is seen what a
 * compose file fills in from this very file.
 */
export function overruled(
  installation: Installation,
  file: Pick<EnvFileOnDisk, 'path'>,
  values: ReadonlyMap<string, string>,
  instead?: string,
): Problem | undefined {
  if (isReadAnew(installation)) return undefined
  return shadowed(installation, file, values, instead)
}

/** What its services are given is seen by reading the compose file once more. */
function isReadAnew({ kind, services }: Pick<Installation, 'kind' | 'services'>): boolean {
  return kind === 'docker' && services !== undefined
}

/** `.env` is the only file weaker than a `.env.production` that does not exist yet. */
function isBase(path: string): boolean {
  return path.endsWith('/.env')
}

type Needs = 'envWriter' | 'setup' | 'facts'
type At = Pick<World, Needs>

/** Equal to no key that a file could hold, so that what would overrule the new key is seen early. */
export const KEY_TO_COME: S3Key = { accessKeyId: 'new', secretAccessKey: new Secret('new') }

/** The storage block in Mastodon's env file; everything else in it stays byte for byte. */
export const envFile: Step<Needs> = {
  id: 'env-file',
  title: 'Env file',

  async look(at): Promise<Finding> {
    const { setup, facts } = at
    const will = `write the storage settings to ${targetName(setup)}`
    const key = facts.accessKey ?? setup.knownKey ?? KEY_TO_COME
    // Throws where the file can't be edited, which has to be known before a key is made.
    const { text } = edited(at, key)
    const problem = strongerOf(at, key) ?? hindered(setup) ?? (await unread(at, key))
    if (problem) return { is: 'blocked', problem }
    if (!facts.accessKey) return { is: 'waiting', on: 'accessKey', will }
    if (!facts.keyProven) return { is: 'waiting', on: 'keyProven', will }
    if (!facts.publicProven) return { is: 'waiting', on: 'publicProven', will }
    if (setup.target.kind === 'print') return printed(at, setup.target.reason)
    const warnings = warningsOf(setup)
    if (facts.envWritten) return { is: 'ready', note: `${targetName(setup)} written`, warnings }
    const { file } = setup.target
    if (text === file.text) {
      const envWritten = { file: file.path, backup: undefined, changed: [], diff: [] }
      return {
        is: 'ready',
        note: `${file.path} holds the settings`,
        warnings,
        facts: { envWritten },
      }
    }
    const what = file.exists
      ? `change the storage settings in ${file.path} (a backup is kept)`
      : `create ${file.path} with the storage settings`
    const off = hindrancesHere(setup).map(({ name, reason }) => ({
      what: `comment out ${name} (${reason})`,
      risk: 'safe' as const,
    }))
    const single = singleLine(at).map((line) => ({ what: `write ${line}`, risk: 'safe' as const }))
    return { is: 'change', changes: [{ what, risk: 'safe' }, ...off, ...single], warnings }
  },

  async change(at) {
    const { setup, facts, envWriter } = at
    const key = learned(facts, 'accessKey')
    if (setup.target.kind === 'print') {
      const changed = [...blockOf(at, key).keys(), ...keptHosts(setup).keys()]
      return { envWritten: { file: undefined, backup: undefined, changed, diff: [] } }
    }
    const { file } = setup.target
    const { text, names } = edited(at, key)
    const { backup } = await envWriter.write(file, text)
    const diff = envWriter.diff(file.text, text)
    const changed = names.filter((name) => diff.some((line) => line.includes(`${name}=`)))
    return { envWritten: { file: file.path, backup, changed, diff } }
  },
}

/** A line that the file has stays as it is written. */
function blockOf({ setup, facts }: Pick<At, 'setup' | 'facts'>, key: S3Key) {
  const { target, installation } = setup
  const from = installation.settings.get(SINGLE_REQUEST)?.from
  const isThere = isSingle(setup) && target.kind === 'file' && from === target.file.path
  return storageBlock(setup, key, isThere ? {} : facts)
}

function edited(at: At, key: S3Key): { text: string; names: string[] } {
  const { setup, envWriter } = at
  const values = blockOf(at, key)
  const retire = hindrancesHere(setup).map(({ name }) => name)
  const before = setup.target.kind === 'file' ? setup.target.file.text : ''
  const text = envWriter.edit(before, values, retire)
  const kept = keptHosts(setup)
  // The block is a template of its own and has no such line.
  const whole = kept.size === 0 ? text : envWriter.edit(text, kept, [])
  return { text: whole, names: [...values.keys(), ...kept.keys(), ...retire] }
}

/** Told apart, as it is not among what is always written. */
function singleLine({ facts, setup }: At): string[] {
  if (!facts.singleRequests || isSingle(setup)) return []
  return [`${SINGLE_REQUEST}=true (the S3 endpoint refuses reads by part number)`]
}

/** Every service is looked at as it will be, whichever file was named. */
async function unread(at: At, key: S3Key): Promise<Problem | undefined> {
  const { setup, envWriter } = at
  const { target, installation } = setup
  if (target.kind === 'print') return undefined
  const values = blockOf(at, key)
  // A block that is prepared beside the file goes into the file itself later.
  const { envFile } = installation
  const isAside = target.file.path !== envFile.path
  const text = isAside ? envWriter.edit(envFile.text, values, []) : edited(at, key).text
  const instead = ' (--print only prints the lines, for a place of your choice.)'
  const written = { file: envFile, text }
  return (
    (await unreachedBy(installation, envWriter, written, values, instead)) ??
    (isAside ? undefined : await stillHindered(installation, envWriter, written))
  )
}

function printed({ facts }: At, reason: string): Finding {
  if (facts.envWritten) return { is: 'ready', note: 'the block is printed' }
  return { is: 'change', changes: [{ what: `print the block (${reason})`, risk: 'safe' }] }
}

function targetName({ target }: Setup): string {
  return target.kind === 'file' ? target.file.path : 'standard output'
}

function strongerOf(at: At, key: S3Key): Problem | undefined {
  const { target, installation } = at.setup
  if (target.kind !== 'file' || !isRead(installation, target.file.path)) return undefined
  const instead = 'or name the place to write with --mastodon-env'
  return overruled(installation, target.file, blockOf(at, key), instead)
}

function isRead({ envFiles, envFile }: Setup['installation'], file: string): boolean {
  return envFile.path === file || envFiles.some(({ path }) => path === file)
}

function hindrancesOf({ settings }: Pick<Installation, 'settings'>) {
  return [...hindrances(settings)].map(([name, reason]) => {
    return { name, reason, from: settings.get(name)?.from }
  })
}

function hindrancesHere({ target, installation }: Setup) {
  if (target.kind === 'print') return []
  const { path, text } = target.file
  const lines = new Set(readStatements(text).flatMap(({ active, key }) => (active ? [key] : [])))
  // A compose file that fills one in from here counts as where it comes from.
  const isHere = isReadAnew(installation)
    ? ({ name }: { readonly name: string }) => lines.has(name)
    : ({ from }: { readonly from: string | undefined }) => from === path
  return hindrancesOf(installation).filter(isHere)
}

/** Only where the file is read by this Mastodon: a line elsewhere then stays in force. */
function hindered({ target, installation }: Setup): Problem | undefined {
  if (target.kind === 'print' || !isRead(installation, target.file.path)) return undefined
  return hinderedFrom(installation, target.file.path)
}

/** A line in another file stays in force, so R2 would be set up and not work. */
function hinderedFrom(installation: Installation, path: string): Problem | undefined {
  if (isReadAnew(installation)) return undefined
  const [first] = hindrancesOf(installation).filter(({ from }) => from !== path)
  return first && hinderedBy(first, path)
}

/**
 * The same of a change that is planned, where `hinderedFrom` waits for it: what a service is given all
 * the same, once the lines of the file itself are commented out. Problem `env-file-hindered`.
 */
export async function stillHindered(
  installation: Installation,
  envWriter: Pick<EnvWriter, 'preview'>,
  { file, text }: { readonly file: EnvFileOnDisk; readonly text: string },
): Promise<Problem | undefined> {
  if (!isReadAnew(installation)) return undefined
  const { settings, services = [] } = await envWriter.preview(file, text)
  const [first] = [{ settings }, ...services].flatMap(hindrancesOf)
  return first && hinderedBy(first, file.path)
}

function hinderedBy(first: ReturnType<typeof hindrancesOf>[number], path: string): Problem {
  return new Problem({
    code: 'env-file-hindered',
    what: `${first.from} sets ${first.name}, which does not fit R2 (${first.reason}).`,
    why: `Mastodon would go on using it; only ${path} is written here.`,
    next: `Remove ${first.name} from ${first.from}, and run this again.`,
    exit: 2,
  })
}

function warningsOf({ target }: Setup): Text[] {
  if (target.kind !== 'file') return []
  return [...worldReadable(target.file), ...leftBehind(target.file)]
}

function worldReadable({ path, mode = 0 }: EnvFileOnDisk): Text[] {
  if ((mode & 0o004) === 0) return []
  return [
    prose`Every user of this machine can read ${path}, keys and passwords included. If Mastodon runs as the file's owner: ${asRoot(`chmod 600 ${shellWord(path)}`)}`,
  ]
}

/** Of a file that is about to be replaced: its other names go on meaning the old one. */
export function leftBehind({ path, realPath, otherNames = 0 }: EnvFileOnDisk): string[] {
  if (otherNames === 0) return []
  const names = otherNames === 1 ? 'another name' : `${otherNames} other names`
  return [
    `${path} has ${names} (hard links), which will keep the old content and stand apart from then on. See them with: find / -xdev -samefile ${shellWord(realPath)}`,
  ]
}

/** How Mastodon's env file is changed so that it stores media on R2. */
export interface EnvSwitch {
  readonly text: string
  /** What every service has to be given. */
  readonly values: ReadonlyMap<string, string>
  /** Settings that are written or commented out. */
  readonly names: readonly string[]
  /** Host of the provider before, which pages go on naming; undefined when there was none. */
  readonly keptHost: string | undefined
  readonly retired: ReadonlyMap<string, string>
}

/**
 * The prepared block switched on, or its values in the place of another provider's. Problems:
 * `env-file-shadowed`, `env-file-hindered`; those of the editor are thrown.
 */
export function envSwitch(
  { place, facts, envWriter }: Pick<World, 'place' | 'facts' | 'envWriter'>,
  file: EnvFileOnDisk,
): EnvSwitch | Problem {
  const key = facts.accessKey ?? place.knownKey
  if (key === undefined) throw new Error('A migration has a key from its start.')
  const { installation } = place
  const { settings, version } = installation
  const block = storageBlock({ ...place, storage: 'switch' }, key, facts)
  const old = hostBefore(settings, place)
  const keptHost = old !== undefined && knowsExtraHosts(version) ? old : undefined
  const kept = new Map(
    keptHost === undefined ? [] : [[EXTRA_HOSTS, withExtraHost(settings, keptHost)] as const],
  )
  const values = new Map([...block, ...kept])
  const problem = overruled(installation, file, values) ?? hinderedFrom(installation, file.path)
  if (problem) return problem
  const retired = hindrances(settings)
  const switched = envWriter.edit(file.text, block, [...retired.keys()])
  // The block is a template of its own and has no such line.
  const text = kept.size === 0 ? switched : envWriter.edit(switched, kept, [])
  return { text, values, names: [...values.keys(), ...retired.keys()], keptHost, retired }
}
