import { Problem } from '../core/problem.ts'
import { remember } from '../flow/mastodon-here.ts'
import type { EffectiveSetting, Installation } from '../services/mastodon/port.ts'
import { providerNames } from '../setup/provider-lines.ts'
import type { MigrationTarget } from '../setup/target.ts'
import { textThere } from './env-switch.ts'
import type { Destination } from './leaving.ts'

/** Depends on what the provider refuses. */
const SOMETIMES = ['S3_FORCE_SINGLE_REQUEST']
/** Those of another provider may have been changed at any time since. */
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

export interface Switched {
  readonly there: Destination
  readonly installation: Installation
  /** The bucket on R2 that was left. */
  readonly left: Pick<MigrationTarget, 'bucket' | 'accountId'>
  readonly ownEndpoint: string | undefined
}

/**
 * When Mastodon was switched away from R2, as the newest backup of its env file tells that names R2 in
 * use: it was made in that moment. What the file held next has to be what a switch makes of it, in all
 * that is of storage: who switched by hand may have copied nothing before, and undefined is given.
 */
export async function switchTime({
  there,
  installation,
  left,
  ownEndpoint,
}: Switched): Promise<Date | undefined> {
  const { envReader, railsSettings, readEnvFile } = await import('../services/mastodon/env-read.ts')
  const read = (path: string, text: string) => railsSettings(new Map(), [{ path, text }])
  const { envFile } = installation
  let next = envFile.text
  for (const { path, at } of await envReader.backups(envFile)) {
    const { text } = await readEnvFile(path)
    const then = remember({ ...installation, settings: read(path, text) }, ownEndpoint)
    if (then.storage === 'r2' && then.switchedOn) {
      const isIt = then.bucket === left.bucket && then.accountId === left.accountId
      const made = isIt ? textOf(there, text) : undefined
      if (made === undefined) return undefined
      return isSame(there, read(path, made), read(path, next)) ? at : undefined
    }
    next = text
  }
  return undefined
}

type Settings = ReadonlyMap<string, EffectiveSetting>

function isSame({ kind }: Destination, one: Settings, other: Settings): boolean {
  const free = kind === 's3' ? [...SOMETIMES, ...KEYS] : SOMETIMES
  const names = providerNames.filter((name) => !free.includes(name))
  return names.every((name) => one.get(name)?.value === other.get(name)?.value)
}

/** Undefined where no switch can be made of it. */
function textOf(there: Destination, text: string): string | undefined {
  try {
    return textThere({ there }, {}, text)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
