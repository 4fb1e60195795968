import { readFile } from 'node:fs/promises'
import { counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { type SandboxAddress, startSandboxProcess } from '../rehearse/rehearsal.ts'
import { scratchFolder } from '../rehearse/scratch-folder.ts'
import { setUpThere } from '../rehearse/set-up-there.ts'
import { contradiction } from '../settings/no-effect.ts'
import type { Stage } from '../settings/stages.ts'
import type { MigrateRun, PreparedMigration } from './migration.ts'
import { prepareMigration } from './prepare.ts'

const FILES = 500
/** Uploads a second while it goes on. */
const UPLOADS = 4
const ZONE = 'example.com'

export interface MigrationRehearsal {
  /** The run, pointed at a Mastodon and a Cloudflare that are made up. */
  readonly run: MigrateRun
  /** Goes from stage to stage to the one that is named, or to the end. Gives the exit code. */
  through(named: Stage | undefined, goThrough: GoThrough): Promise<number>
  /** After the switch: tells that what was uploaded meanwhile is in the bucket, or throws. */
  prove(prepared: PreparedMigration): Promise<void>
}

type GoThrough = (run: MigrateRun, prepared: PreparedMigration, stage: Stage) => Promise<number>

/**
 * Makes a Mastodon with media that is being uploaded to, prepares a bucket for it, and points every
 * setting there. What it makes, its notes about the migration included, goes when the run ends.
 */
export async function rehearseMigration(run: MigrateRun): Promise<MigrationRehearsal> {
  const { host, ui, settings } = run
  refuseOther(run)
  ui.note('This is a rehearsal', [
    `Mastodon is a stand-in on this machine: ${FILES} files, and ${UPLOADS} more every second.`,
    'So is Cloudflare. Nothing leaves this machine, and nothing of yours is changed.',
  ])
  const folder = await scratchFolder(run)
  const started = ui.busy('Starting the sandbox and preparing a bucket')
  const flags = ['--media', String(FILES), '--uploads', String(UPLOADS), '--zone', ZONE]
  const delays = ['--domain-delay', '0ms', '--key-delay', '0ms']
  const address = await startSandboxProcess(run, [...flags, ...delays])
  const { mastodon } = address
  if (!mastodon) throw new Error('The sandbox made no Mastodon.')
  const environment = {
    ...host.environment,
    PATH: `${mastodon.bin}:${host.environment.PATH ?? ''}`,
    XDG_STATE_HOME: folder,
  }
  const own: MigrateRun = { ...run, host: { ...host, environment } }
  await setUpThere(own.host, {
    there: { ...address, s3EndpointUrl: endpointOf(address) },
    folder,
    args: [
      ...['--mastodon-dir', mastodon.dir, '--media-host', `files.${ZONE}`],
      ...['--existing-media', 'prepare'],
    ],
  })
  started()
  for (const name of ['mastodonEnv', 'accountId'] as const) settings.forget(name)
  settings.offer('mastodonDir', mastodon.dir, 'sandbox')
  settings.offer('s3EndpointUrl', endpointOf(address), 'sandbox')
  settings.offer('connectTo', address.connectTo, 'sandbox')
  settings.offer('cloudflareApiUrl', address.cloudflareApiUrl, 'sandbox')
  settings.offer('apiToken', address.apiToken, 'sandbox')
  const ca = await readFile(address.caFile, 'utf8')
  const rehearsing: MigrateRun = { ...own, ca }
  return {
    run: retold(rehearsing, true),
    through: (named, goThrough) => through(rehearsing, named, goThrough, mastodon.uploads),
    prove: (prepared) => tellProof(rehearsing, prepared, mastodon.uploads),
  }
}

async function through(
  run: MigrateRun,
  named: Stage | undefined,
  goThrough: GoThrough,
  uploads: string,
): Promise<number> {
  const { settings, ui } = run
  const [dryRun, yes] = [settings.on('dryRun'), settings.on('yes')]
  const stages = rehearsedStages(named, dryRun)
  for (const [at, stage] of stages.entries()) {
    const isWanted = named === undefined || at === stages.length - 1
    if (dryRun && !isWanted) settings.forget('dryRun')
    else if (dryRun) settings.offer('dryRun', true, '--dry-run')
    if (!isWanted) settings.offer('yes', true, 'sandbox')
    else if (!yes) settings.forget('yes')
    const prepared = await prepareMigration(run)
    const code = await goThrough(retold(run, at === stages.length - 1), prepared, stage)
    if (code !== 0) return code
    if (stage === 'cutover' && !dryRun) await tellProof(run, prepared, uploads)
  }
  if (named === undefined && !dryRun) ui.say('That was a rehearsal; all of it is gone now.')
  return 0
}

/** What has to be done before a stage: as long as media comes in, only a switch makes both sides equal. */
export function rehearsedStages(named: Stage | undefined, dryRun: boolean): readonly Stage[] {
  if (named === undefined) {
    return dryRun ? ['survey'] : ['survey', 'announce', 'copy', 'cutover', 'compare']
  }
  if (named === 'compare' || named === 'redirects') return ['copy', 'cutover', named]
  return named === 'cutover' ? ['copy', 'cutover'] : [named]
}

/** Lines to type on a Mastodon that will be gone. */
const noUse = new Set(['Next', 'To go on from here'])

/** Machines get one report, of the last stage or of the one that failed; people no line to type. */
function retold(run: MigrateRun, isLast: boolean): MigrateRun {
  const { ui, settings } = run
  const finish: typeof ui.finish = (report, closing) => {
    if (settings.on('json') && report.ok && !isLast) return
    const sections = closing.sections.filter(({ title }) => !noUse.has(title))
    const headline = closing.headline.replace(' What is done stays done.', '')
    ui.finish(report, { headline, sections })
  }
  return { ...run, ui: { ...ui, finish } }
}

/** The log is read first: what is stored later may not be listed any more. */
async function tellProof({ ui }: MigrateRun, { migration }: PreparedMigration, log: string) {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.endsWith('}'))
  const uploads = lines.map((line) => JSON.parse(line) as { key: string; error?: string })
  const lost = new Set(uploads.flatMap(({ key, error }) => (error === undefined ? [key] : [])))
  const stored = lost.size
  for await (const page of migration.bucket().pages()) for (const { key } of page) lost.delete(key)
  if (lost.size > 0) throw lostUploads(stored, [...lost])
  ui.say(
    `While all this went on ${counted(stored, 'file')} were uploaded. Each of them is in the bucket.`,
  )
}

function lostUploads(stored: number, lost: readonly string[]): Problem {
  return new Problem({
    code: 'rehearsal-lost-uploads',
    what: `${lost.length} of ${stored} files that were uploaded meanwhile are not in the bucket.`,
    why: `They should have been copied, such as ${lost[0]}.`,
    next: 'This is a fault of mastodon-r2. Please report it, and do not switch your server yet.',
  })
}

function refuseOther({ settings }: MigrateRun): void {
  const outside = (
    [
      'mastodonDir',
      'mastodonEnv',
      'mediaDir',
      's3EndpointUrl',
      'connectTo',
      'cloudflareApiUrl',
      'apiToken',
      'accountId',
    ] as const
  ).find((name) => settings.source(name)?.startsWith('--'))
  const other = settings.get('from') === 's3' ? 'from' : outside
  const engine = settings.get('engine') === 'super-slurper' ? 'engine' : other
  if (engine === undefined) return
  const why = 'the sandbox brings its own Mastodon with media on its disk, and its own Cloudflare'
  throw contradiction('--sandbox', settings.flag(engine), why)
}

function endpointOf({ s3EndpointUrls }: SandboxAddress): string {
  return s3EndpointUrls.default ?? ''
}
