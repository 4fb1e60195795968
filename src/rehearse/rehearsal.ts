import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem, type ProblemDetails } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import type { Catalog } from '../settings/setting.ts'
import { readTemplate } from '../template.ts'

/** Starts `sandbox` as a process of its own, which goes when the run ends. Throws its Problems. */
export async function startSandboxProcess(
  { host, atEnd }: Pick<Run<Catalog>, 'host' | 'atEnd'>,
  flags: readonly string[],
): Promise<SandboxAddress> {
  const { start } = await import('../services/process/run.ts')
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
  if ('what' in told) throw new Problem(told)
  return told
}

export interface Rehearsal {
  /** As found, with a scratch copy in the env file's place. */
  readonly installation: Installation
  /** PEM of the sandbox's certificate authority. */
  readonly ca: string
}

/**
 * Starts a sandbox as a process of its own and points every setting at it. The env file is a
 * scratch copy (or a sample) in a folder that only this user can open; both go when the run ends.
 */
export async function rehearse(run: Run<SetupCatalog>, found: Installation): Promise<Rehearsal> {
  const { host, ui, settings, atEnd } = run
  ui.note('This is a rehearsal', [
    'Cloudflare is a stand-in on this machine, the env file a scratch copy.',
    'Nothing leaves this machine, and nothing on it is changed.',
  ])
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-rehearsal-'))
  atEnd.push(() => rm(folder, { recursive: true, force: true }))
  const installation = await scratchCopy(found, folder, host.environment)
  const started = ui.busy('Starting the sandbox')
  const zones = zonesFor(installation, settings.get('mediaHost'))
  const address = await startSandboxProcess(
    run,
    zones.flatMap((zone) => ['--zone', zone]),
  )
  started()
  const jurisdiction = settings.need('jurisdiction')
  settings.offer('cloudflareApiUrl', address.cloudflareApiUrl, 'sandbox')
  settings.offer('s3EndpointUrl', address.s3EndpointUrls[jurisdiction] ?? '', 'sandbox')
  settings.offer('connectTo', address.connectTo, 'sandbox')
  settings.offer('apiToken', address.apiToken, 'sandbox')
  settings.forget('accountId')
  if (!ui.canAsk && settings.get('mediaHost') === undefined) {
    const [zone = 'example.com'] = zonesFor(installation, undefined)
    settings.offer('mediaHost', `files.${zone}`, 'sandbox')
  }
  return { installation, ca: await readFile(address.caFile, 'utf8') }
}

async function scratchCopy(
  found: Installation,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Installation> {
  const path = join(folder, '.env.production')
  const original = found.envFile
  const { fileText } = await import('../services/mastodon/env-text.ts')
  // Where there is a Mastodon, the rehearsal is about that one.
  const isSample = !original.exists && found.kind === 'none'
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
