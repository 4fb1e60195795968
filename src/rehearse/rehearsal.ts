import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem, type ProblemDetails } from '../core/problem.ts'
import { shellLine } from '../core/shell-word.ts'
import type { Run } from '../flow/run.ts'
import type { StandIn } from '../host.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { SettingName, SetupCatalog } from '../settings/catalog.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import { readTemplate } from '../template.ts'
import type { Ui } from '../ui/port.ts'
import { scratchFolder } from './scratch-folder.ts'

/** Starts `sandbox` as a process of its own, which goes when the run ends. Throws its Problems. */
export async function startSandboxProcess(
  { host, atEnd }: Pick<Run<Catalog>, 'host' | 'atEnd'>,
  flags: readonly string[],
): Promise<SandboxAddress> {
  const { start } = await import('../services/process/run.ts')
  const again = ['mastodon-r2', ...host.argv]
  const child = start(
    {
      program: host.execPath,
      args: [host.script, 'sandbox', '--json', '--attached', ...flags],
      env: {},
    },
    { environment: host.environment },
  )
  atEnd.push(() => child.stop())
  const told = JSON.parse(await child.firstLine()) as SandboxAddress | ProblemDetails
  if ('what' in told) {
    // The line that the sandbox knows is about init.
    const next = String(told.next).replace(/\bmastodon-r2 init --sandbox$/, shellLine(again))
    throw new Problem({ ...told, next })
  }
  return told
}

export interface Rehearsal {
  /** As found, with a scratch copy in the env file's place. */
  readonly installation: Installation
  readonly standIn: StandIn
  /** No Mastodon is here: the settings are made up. */
  readonly isSample: boolean
}

/**
 * Starts a sandbox as a process of its own and points every setting at it. The env file is a
 * scratch copy (or a sample) in a folder that only this user can open; both go when the run ends.
 */
export async function rehearse(run: Run<SetupCatalog>, found: Installation): Promise<Rehearsal> {
  const { ui, settings } = run
  tellRehearsal(ui)
  const rehearsal = await startStandIn(run, found)
  const { mastodonEnv: _, ...there } = rehearsal.standIn.settings
  settings.forget('accountId')
  offerAll(settings, there)
  if (!ui.canAsk && settings.get('mediaHost') === undefined) {
    settings.offer('mediaHost', mediaHostFor(rehearsal.installation), 'sandbox')
  }
  return rehearsal
}

export function tellRehearsal(ui: Ui): void {
  ui.note('This is a rehearsal', [
    'Cloudflare is a stand-in on this machine, the env file a scratch copy.',
    'Nothing leaves this machine, and nothing on it is changed.',
  ])
}

/** A scratch copy, and a sandbox beside it; both go when the run ends. */
export async function startStandIn(
  run: Pick<Run<SetupCatalog>, 'host' | 'ui' | 'settings' | 'atEnd'>,
  found: Installation,
): Promise<Rehearsal> {
  const { host, ui, settings } = run
  const folder = await scratchFolder(run)
  const installation = await scratchCopy(found, folder, host.environment)
  const started = ui.busy('Starting the sandbox')
  const zones = zonesFor(installation, settings.get('mediaHost'))
  const address = await startSandboxProcess(
    run,
    zones.flatMap((zone) => ['--zone', zone]),
  )
  started()
  const { cloudflareApiUrl, s3EndpointUrls, connectTo, apiToken, caFile } = address
  const jurisdiction = settings.need('jurisdiction')
  const s3EndpointUrl = s3EndpointUrls[jurisdiction] ?? ''
  const { path: mastodonEnv } = installation.envFile
  const standIn: StandIn = {
    settings: { cloudflareApiUrl, s3EndpointUrl, connectTo, apiToken, mastodonEnv },
    jurisdiction,
    folder,
    ca: { file: caFile, pem: await readFile(caFile, 'utf8') },
    isKept: false,
  }
  return { installation, standIn, isSample: isMadeUp(found) }
}

/** They win over what was given. */
export function offerAll(
  settings: Settings<SetupCatalog>,
  offered: Partial<StandIn['settings']>,
): void {
  for (const [name, value] of Object.entries(offered)) {
    settings.offer(name as SettingName, value, 'sandbox')
  }
}

/** A name in the instance's own domain, which the sandbox holds. */
export function mediaHostFor(installation: Installation): string {
  const [zone = 'example.com'] = zonesFor(installation, undefined)
  return `files.${zone}`
}

/** Where there is a Mastodon, the rehearsal is about that one. */
function isMadeUp({ envFile, kind }: Installation): boolean {
  return !envFile.exists && kind === 'none'
}

async function scratchCopy(
  found: Installation,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Installation> {
  const path = join(folder, '.env.production')
  const original = found.envFile
  const { fileText } = await import('../services/mastodon/env-text.ts')
  const isSample = isMadeUp(found)
  const text = isSample ? await readTemplate('env-sample.txt') : original.text
  await writeFile(path, fileText.encode(text), { mode: 0o600, flag: 'wx' })
  if (original.mode !== undefined) await chmod(path, original.mode & 0o700)
  if (isSample) {
    const { findMastodon } = await import('../services/mastodon/find.ts')
    const copy = await findMastodon({
      cwd: folder,
      mastodonDir: folder,
      envFile: path,
      environment,
    })
    return { ...copy, media: found.media }
  }
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  const copy: EnvFileOnDisk = await readEnvFile(path)
  const settings = new Map(
    [...found.settings].map(([name, setting]) => [
      name,
      setting.from === original.path ? { ...setting, from: copy.path } : setting,
    ]),
  )
  const envFiles = found.envFiles.map((file) => (file.path === original.path ? copy : file))
  return { ...found, envFile: copy, envFiles, settings }
}

/** The domains that hold the instance and the media host; the sandbox owns them all. */
function zonesFor({ localDomain, webDomain }: Installation, mediaHost: string | undefined) {
  const zones = [webDomain ?? localDomain, localDomain, mediaHost].flatMap((host) => {
    if (host === undefined) return []
    const labels = host.split('.')
    return [labels.length > 2 ? labels.slice(1).join('.') : host]
  })
  return zones.length === 0 ? ['example.com'] : [...new Set(zones)]
}

export type MastodonPaths = Readonly<Record<'dir' | 'bin' | 'calls' | 'uploads', string>>

/** What `sandbox --json` prints, in one line. */
export interface SandboxAddress {
  readonly cloudflareApiUrl: string
  /** By jurisdiction. */
  readonly s3EndpointUrls: Readonly<Record<string, string>>
  readonly connectTo: readonly string[]
  readonly caFile: string
  /** Opens nothing but this sandbox. */
  readonly apiToken: string
  /** With --media; paths. `bin` goes in front of PATH, the other two are logs of JSON lines. */
  readonly mastodon?: MastodonPaths
}
