import { unlessStopped } from '../core/clock.ts'
import { Cancelled, Declined, Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import { carryOut } from '../flow/carry-out.ts'
import { failed, session } from '../flow/flow.ts'
import { settingsOf } from '../flow/session.ts'
import { servicesOf } from '../flow/world.ts'
import type { Command, Host } from '../host.ts'
import { notRunning } from '../moving/quiet.ts'
import { keepHeapSmall } from '../moving/small-heap.ts'
import type { Report } from '../plan/report.ts'
import { noted } from '../services/checkpoint/port.ts'
import type { Stage } from '../settings/stages.ts'
import { linesOf } from '../setup/restart.ts'
import { wrap } from '../ui/words.ts'
import { askCleanup, askSelection, askVariant, offerRclone } from './ask.ts'
import { migrateClosing } from './closing.ts'
import { otherStageLine, sameStageLine } from './line.ts'
import type { MigrateRun, PreparedMigration } from './migration.ts'
import { holdMigration, holdsEnv, prepareMigration } from './prepare.ts'
import { type MigrationRehearsal, rehearseMigration } from './rehearsal.ts'
import { migrateCatalog, migrateFlags } from './settings.ts'
import { refuseOfOtherStage, refusePairs } from './stage-flags.ts'
import { stagesInDetail } from './stage-steps.ts'
import { nextStage, type StageStatus, stageStatus } from './stages.ts'

/** The settings of a migration that its redirects need, too. */
const shared = new Set([
  'mastodonDir',
  'mastodonEnv',
  'accountId',
  'cloudflareApiUrl',
  's3EndpointUrl',
  'connectTo',
  'dryRun',
  'yes',
  'json',
  'quiet',
  'verbose',
  'noColor',
  'logFile',
])

/** The last stage is a command of its own. */
export async function redirectsStage(
  run: MigrateRun,
  { installation, migration }: PreparedMigration,
): Promise<number> {
  const { host, settings, ca } = run
  const noted = (await migration.checkpoint.read())?.runsSince
  const runsSince = noted === undefined ? undefined : new Date(noted)
  const holdsEnvFile = holdsEnv(installation.envFile)
  const { redirectsWithin } = await import('../redirects/redirects.ts')
  // The Mastodon of a rehearsal is gone when a line is typed: only the whole can be repeated.
  const again = settings.on('sandbox') ? sameStageLine(run, 'redirects') : undefined
  const argv = [...given(settings), ...tokenFile(host.argv)]
  return redirectsWithin(withToken(run), argv, { ca, again, holdsEnvFile, runsSince })
}

/** The token of a rehearsal was given by nobody: it goes on as a variable, which is nobody's argument. */
function withToken({ host, settings }: MigrateRun): Host {
  const token = settings.source('apiToken') === 'sandbox' ? settings.get('apiToken') : undefined
  if (token === undefined) return host
  return { ...host, environment: { ...host.environment, CLOUDFLARE_API_TOKEN: token.reveal() } }
}

function given(settings: MigrateRun['settings']): string[] {
  return settings.entries().flatMap(([name, { value, text, source }]) => {
    if (!shared.has(name) || source === 'default') return []
    const flag = settings.flag(name as Parameters<typeof settings.flag>[0])
    if (value === true) return [flag]
    const texts = Array.isArray(text) ? text : [String(text)]
    return texts.flatMap((one) => [flag, one])
  })
}

/** The token's file is named again; its text is nobody's argument. */
function tokenFile(argv: readonly string[]): string[] {
  const flag = '--api-token-file'
  const at = argv.indexOf(flag)
  const joined = argv.find((word) => word.startsWith(`${flag}=`))
  if (joined !== undefined) return [joined]
  const path = at < 0 ? undefined : argv[at + 1]
  return path === undefined ? [] : [flag, path]
}

/** A cut-over that was killed may have left Sidekiq at rest, and then nothing federates, or all stopped. */
export async function tellResting(
  run: MigrateRun,
  { installation, checkpoint }: PreparedMigration,
): Promise<void> {
  const { commands, sidekiq } = await servicesOf(run, installation)
  const seen = await sidekiq()
  if (!commands || seen === undefined) return
  // Before a whole copy there was no cut-over.
  const mayBeStopped = checkpoint?.completeSince !== undefined && seen.length === 0
  if (mayBeStopped) run.ui.warn(notRunning(commands))
  if (!seen.some(({ quiet }) => quiet)) return
  run.ui.warn(
    prose`Sidekiq rests and takes no jobs, since a cut-over that was cut off. To go on with that: ${otherStageLine(run, 'cutover')}. To wake Sidekiq instead: ${linesOf(commands.wake)}`,
  )
}

/**
 * Moves the media of a running server, a stage at a time. With a person it goes from stage to stage
 * until they leave; without one it carries out the first stage that isn't done, or the one named.
 */
export const migrate: Command = {
  run: (host, argv) => {
    keepHeapSmall()
    return session(
      host,
      argv,
      { name: 'migrate', catalog: migrateCatalog, accepts: migrateFlags },
      async (session, draft) => {
        refusePairs(session.settings)
        const run: MigrateRun = { ...session, surveys: { last: undefined } }
        const named = run.settings.get('stage')
        if (named !== undefined) refuseOfOtherStage(run.settings, named)
        const rehearsal = run.settings.on('sandbox') ? await rehearseMigration(run) : undefined
        if (rehearsal && named === undefined && run.ui.canAsk) {
          return await rehearseFromMenu(rehearsal, draft)
        }
        if (rehearsal) {
          return await rehearsal.through(named, (run, prepared, stage) =>
            goThrough(run, prepared, stage, { ...draft, dryRun: run.settings.on('dryRun') }),
          )
        }
        for (;;) {
          const prepared = await unlessStopped(host.interrupted, prepareMigration(run))
          const statuses = statusOf(prepared)
          if (named === undefined && !run.ui.canAsk) tellStatus(run, prepared, statuses)
          if (named === undefined) {
            await unlessStopped(host.interrupted, tellResting(run, prepared))
          }
          const stage = named ?? (await chooseStage(run, statuses))
          if (stage === undefined) return left(run)
          if (!run.ui.canAsk) refuseOfOtherStage(run.settings, stage)
          if (stage === 'cutover' && named === undefined) refuseUnnamed(run)
          const code = await goThrough(run, prepared, stage, draft)
          if (named !== undefined || !run.ui.canAsk || code !== 0) return code
        }
      },
    )
  },
}

/**
 * A person goes from stage to stage until they leave. What fails, or is not agreed to, leads back to
 * the menu, as the rehearsal would be gone; the exit code is that of the last stage.
 */
async function rehearseFromMenu(
  { run, prove }: MigrationRehearsal,
  draft: Report,
): Promise<number> {
  const { host, ui, settings } = run
  for (let code = 0; ; ) {
    const prepared = await unlessStopped(host.interrupted, prepareMigration(run))
    const statuses = statusOf(prepared)
    await unlessStopped(host.interrupted, tellResting(run, prepared))
    const stage = await chooseStage(run, statuses)
    if (stage === undefined) {
      if (isDone(statuses, 'cutover')) await prove(prepared)
      ui.say('Left. That was a rehearsal; all of it is gone now.')
      return code
    }
    try {
      code = await goThrough(run, prepared, stage, draft)
    } catch (error) {
      const isLeft = error instanceof Cancelled && !(error instanceof Declined)
      if (isLeft) throw error
      code = failed(run, { ...draft, settings: settingsOf(settings) }, error)
    }
    if (host.interrupted.aborted) return code
  }
}

/** With a person a stage begins with what there is to decide. */
async function goThrough(
  run: MigrateRun,
  prepared: PreparedMigration,
  stage: Stage,
  draft: Report,
): Promise<number> {
  const { completeSince, begunAt } = prepared.checkpoint ?? {}
  const isFirst = completeSince === undefined && begunAt === undefined
  if (run.ui.canAsk && stage === 'cleanup' && !(await askCleanup(run))) {
    run.ui.say('So nothing is cleaned up.')
    return 0
  }
  if (run.ui.canAsk && stage === 'cutover') await askVariant(run)
  if (run.ui.canAsk && stage === 'copy') await offerRclone(run, prepared.migration.rclone)
  if (stage !== 'copy' || !isFirst || !run.ui.canAsk) {
    return carryOutStage(run, prepared, stage, draft)
  }
  if (!run.surveys.last) {
    const code = await carryOutStage(run, prepared, 'survey', draft)
    if (code !== 0 || !run.surveys.last) return code
  }
  await askSelection(run, run.surveys.last)
  if (run.settings.source('cleanCache') === 'you') {
    const code = await carryOutStage(run, prepared, 'cleanup', draft)
    if (code !== 0) return code
  }
  return carryOutStage(run, await prepareMigration(run), stage, draft)
}

async function carryOutStage(
  run: MigrateRun,
  prepared: PreparedMigration,
  stage: Stage,
  draft: Report,
): Promise<number> {
  const { ui, settings } = run
  if (stage === 'redirects') {
    const code = await redirectsStage(run, prepared)
    if (code === 0 && !settings.on('dryRun')) await noteRedirects(prepared)
    return code
  }
  await holdMigration(run, prepared, stage)
  if (stage === 'copy' && !settings.on('dryRun')) await noteSwitchFound(prepared)
  const detail = stagesInDetail[stage](run, prepared)
  const { steps, found, done } = await unlessStopped(run.host.interrupted, detail)
  const again = sameStageLine(run, stage)
  // Who is asked again in a moment needs no line to type: at the menu, or in the stage that was named.
  const isAsked = ui.canAsk && settings.get('stage') !== stage
  const following = isAsked ? undefined : after(stage, prepared)
  const next = following && otherStageLine(run, following)
  const code = await carryOut(
    run,
    {
      world: prepared.world,
      steps,
      planTitle: `Plan: ${stage}`,
      shown: ['mediaHost', 'bucket'],
      // Each clean-up and each removal is in the plan only because its own flag was given.
      flagged: true,
      again,
      details: () => found().report,
      closing: (ended) => {
        return migrateClosing({ ...ended, stage, prepared, again, next, tables: found().tables })
      },
    },
    { ...draft, settings: settingsOf(settings) },
  )
  if (code === 0 && !settings.on('dryRun')) await done()
  ui.progress(undefined)
  return code
}

/** A run that only watches other storage has no notes, and needs none. */
async function noteRedirects({ migration, world, checkpoint }: PreparedMigration): Promise<void> {
  if (checkpoint === undefined) return
  await noted(migration.checkpoint, { redirectedAt: world.clock.now().toISOString() })
}

function statusOf({ checkpoint, switchedOn, migration }: PreparedMigration) {
  return stageStatus(checkpoint, { switchedOn, fromDisk: migration.from.kind === 'folder' })
}

function isDone(statuses: readonly StageStatus[], stage: Stage): boolean {
  return statuses.some((one) => one.stage === stage && one.state === 'done')
}

/** What to type next, where a stage has ended well. */
function after(stage: Stage, prepared: PreparedMigration): Stage | undefined {
  const statuses = statusOf(prepared)
  const isSwitched = isDone(statuses, 'cutover')
  const following: Partial<Record<Stage, Stage>> = {
    survey: isSwitched ? 'compare' : 'announce',
    announce: 'copy',
    cleanup: 'copy',
    copy: isSwitched ? 'compare' : 'cutover',
    cutover: 'redirects',
  }
  return following[stage]
}

/**
 * The notes are lost, or were never there, and Mastodon's settings tell that it is switched: without
 * that noted, the copy that follows would look like one before a cut-over that was cut off. The file
 * has named R2 at least since it was last changed.
 */
async function noteSwitchFound({
  migration,
  installation,
  world,
  checkpoint,
  switchedOn,
}: PreparedMigration): Promise<void> {
  if (!switchedOn || checkpoint !== undefined) return
  const changed = await world.processes.changedAt(installation.envFile.realPath)
  const at = changed ?? world.clock.now()
  await noted(migration.checkpoint, { switchedAt: at.toISOString() })
}

const SIGNS = { done: 'done', next: 'next', open: '-', optional: '-' } as const

function rowOf({ stage, state }: StageStatus): string {
  return `${SIGNS[state].padEnd(4)}  ${stage.padEnd(9)}`
}

function tellStatus(
  { ui }: MigrateRun,
  { migration: { width } }: PreparedMigration,
  statuses: readonly StageStatus[],
): void {
  const lines = statuses.flatMap((status) => {
    const begin = `${rowOf(status)}  `
    const [first = '', ...rest] = wrap(status.note, width - begin.length)
    return [`${begin}${first}`, ...rest.map((line) => `${' '.repeat(begin.length)}${line}`)]
  })
  ui.note('Where the migration stands', lines)
}

/**
 * The table of the stages is the menu. Without a person the stage that comes next; undefined when the
 * person wants to leave.
 */
async function chooseStage(
  { ui, settings }: MigrateRun,
  statuses: readonly StageStatus[],
): Promise<Stage | undefined> {
  if (!ui.canAsk) return nextStage(statuses)
  const isRehearsal = settings.on('sandbox')
  const next = statuses.find(({ state }) => state === 'next')?.stage ?? 'leave'
  const answer = await ui.choose({
    message: isRehearsal
      ? 'Where the rehearsal stands. What now? All of it is gone when you leave.'
      : 'Where the migration stands. What now? You can leave at any time; the next run goes on from here.',
    isTable: true,
    initial: next,
    options: [
      ...statuses.map((status) => ({
        value: status.stage as string,
        label: rowOf(status),
        hint: status.note,
      })),
      {
        value: 'leave',
        label: `      ${'leave'.padEnd(9)}`,
        hint: isRehearsal ? 'it was a rehearsal' : 'nothing is lost',
      },
    ],
  })
  return statuses.find(({ stage }) => stage === answer)?.stage
}

/** Nobody's `--yes` to a copy may switch Mastodon. */
function refuseUnnamed(run: MigrateRun): void {
  if (run.ui.canAsk || run.settings.on('dryRun')) return
  throw new Problem({
    code: 'cutover-not-named',
    what: 'The media is copied; next comes the cut-over, which has to be named.',
    why: 'It switches Mastodon, so it is done only when somebody asks for just that.',
    next: prose`See its plan with --dry-run, then add --yes: ${otherStageLine(run, 'cutover')}`,
    exit: 2,
  })
}

function left(run: MigrateRun): number {
  run.ui.say(prose`Left; nothing is lost. To go on from here:\n  ${otherStageLine(run)}`)
  return 0
}
