import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Candidate, existing, railsEnvFiles } from './candidate.ts'
import { railsSettings, unitSettings } from './effective-settings.ts'
import { readEnvFile } from './env-read.ts'
import { mediaRoot } from './local-media.ts'
import type { MastodonUnit } from './systemd.ts'
import { versionFromSource } from './version.ts'

/**
 * Mastodon run from its source folder. Settings that systemd passes on (from the web unit) win over
 * the env files. `root` is put before the absolute paths that units name.
 */
export async function bareMetal(
  dir: string,
  units: readonly MastodonUnit[],
  root: string,
): Promise<Candidate> {
  const leading = units.find(({ part }) => part === 'web') ?? units[0]
  const unitFiles = await existing(
    (leading?.environmentFiles ?? []).map((path) => join(root, path)),
  )
  const given =
    leading === undefined
      ? new Map()
      : unitSettings(leading.name, leading.environment, unitFiles, leading.unset)
  const files = await existing(railsEnvFiles.map((name) => join(dir, name)))
  const settings = railsSettings(given, files)
  const source = await readFile(join(dir, 'lib/mastodon/version.rb'), 'utf8').catch(() => '')
  const names = (part: string) =>
    units.filter((unit) => unit.part === part).map((unit) => unit.name)
  return {
    kind: 'systemd',
    dir,
    composeFile: undefined,
    version: versionFromSource(source, (name) => settings.get(name)?.value),
    units: { web: names('web'), sidekiq: names('sidekiq') },
    usualEnvFile: await readEnvFile(join(dir, '.env.production')),
    envFiles: [...unitFiles.toReversed(), ...files],
    settings,
    media: { root: mediaRoot(dir, settings.get('PAPERCLIP_ROOT_PATH')?.value) },
  }
}
