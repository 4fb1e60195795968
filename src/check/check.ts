import { unlessStopped } from '../core/clock.ts'
import { sharedLook } from '../core/once.ts'
import { Problem } from '../core/problem.ts'
import { allOf } from '../core/streams.ts'
import { prose, type Text, toType, uniqueText } from '../core/to-type.ts'
import { session } from '../flow/flow.ts'
import type { Remembered } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { settingsOf } from '../flow/session.ts'
import type { Command, Host } from '../host.ts'
import { type Report, reportChecks } from '../plan/report.ts'
import type { Checked } from '../plan/verdict.ts'
import { rehearsalOver, rehearsed } from '../rehearse/rehearsed.ts'
import { refuseContradictions } from '../settings/catalog.ts'
import { contradiction, firstFlag, noEffect, withoutToken } from '../settings/no-effect.ts'
import type { Closing } from '../ui/port.ts'
import { mastodonChecks, noMastodon } from './areas/mastodon.ts'
import { publicWebChecks } from './areas/public-web.ts'
import { settingsChecks } from './areas/settings.ts'
import { storageChecks } from './areas/storage.ts'
import { openDoor } from './areas/storage-door.ts'
import { lookAtCloudflare } from './cloudflare-side.ts'
import { asPlugin, isPlugin } from './nagios.ts'
import { having, troubled, verdictsInWords } from './outcome.ts'
import { runChecks, worstFirst } from './run.ts'
import { type CheckCatalog, checkCatalog, checkFlags } from './settings.ts'
import { checkWorld, findInstallation, findStorage } from './world.ts'

/**
 * The doctor: looks at everything, with or without a Cloudflare token. It changes nothing, but with
 * `--fix` what it was told to.
 */
export const check: Command = {
  run: (host, argv) => (isPlugin(host, argv) ? asPlugin(host, argv, look) : look(host, argv)),
}

function look(host: Host, argv: readonly string[]): Promise<number> {
  const accepts = { ...checkFlags, format: checkCatalog.format }
  const spec = { name: 'check', catalog: checkCatalog, accepts }
  return session(host, argv, spec, async (given, draft) => {
    const run = await unlessStopped(host.interrupted, beforehand(begun(given)))
    const known = new Set<string>(run.settings.entries().map(([name]) => name))
    const ready = await unlessStopped(host.interrupted, beforehand(prepare(run)))
    const found = await examine(run, ready)
    run.ui.showChecks(found, { verbose: run.settings.on('verbose') })
    if (!run.settings.on('fix')) return conclude(run, ready, found, draft)
    const { fix } = await import('./fix/fix.ts')
    const again = async () => {
      // What the settings said before is no answer any more.
      for (const [name] of run.settings.entries()) {
        if (!known.has(name)) run.settings.forget(name as keyof CheckCatalog)
      }
      const silent = { ...run, ui: { ...run.ui, say: () => undefined } }
      return examine(silent, await prepare(silent))
    }
    const side = await ready.cloudflare
    const seen = { world: ready.world, cloudflare: side.seen(), found }
    const code = await fix(run, seen, { ...draft, settings: settingsOf(run.settings) }, again)
    return code ?? conclude(run, ready, found, draft)
  })
}

type Prepared = Awaited<ReturnType<typeof prepare>>

async function prepare(run: Run<CheckCatalog>) {
  const { ui, settings } = run
  // Of init's --format, which check's has nothing to do with.
  refuseContradictions((name) => (name === 'format' ? undefined : settings.source(name)))
  const installation = await findInstallation(run)
  const { storage, remembered } = findStorage(settings, installation)
  refuseWithoutToken(settings, remembered)
  const files = installation.envFiles.map(({ path }) => path).join(', ')
  ui.say(`Settings of Mastodon: ${files || installation.envFile.path}`)
  const world = await checkWorld(run, installation, storage)
  // Begun, and not waited for: what is no matter of Cloudflare's is looked at meanwhile.
  const cloudflare = lookAtCloudflare(run, world, remembered)
  cloudflare.catch(() => undefined)
  return { world, cloudflare }
}

/**
 * Cloudflare alone knows about these, and without a token it is not asked. An account is of use where
 * S3_ENDPOINT tells none.
 */
function refuseWithoutToken(
  settings: Run<CheckCatalog>['settings'],
  { accountId }: Remembered,
): void {
  if (settings.get('apiToken') !== undefined) return
  const account = accountId === undefined ? [] : ['accountId']
  const flag = firstFlag(settings, ['jurisdiction', 'cloudflareApiUrl', ...account])
  if (flag !== undefined) throw withoutToken(flag)
}

function refuseWithoutFix(settings: Run<CheckCatalog>['settings']): void {
  const flag = settings.on('fix') ? undefined : firstFlag(settings, ['dryRun', 'yes'])
  if (flag === undefined) return
  const next = prose`Leave ${flag} out, or have put right what can be: ${toType('check', { fix: true })}`
  throw noEffect(flag, 'Without --fix this only looks.', next)
}

/** With --sandbox a setup is made first. A monitor takes what it is told for the server. */
async function begun(run: Run<CheckCatalog>): Promise<Run<CheckCatalog>> {
  if (run.settings.on('sandbox') && run.settings.source('format') !== undefined) {
    throw contradiction('--sandbox', '--format', 'a monitor would be told of a stand-in')
  }
  refuseWithoutFix(run.settings)
  return rehearsed(run)
}

/** What keeps the checks from being made is no fault of the setup: exit code 2. */
async function beforehand<Found>(work: Promise<Found>): Promise<Found> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { code, what, why, next } = error
    throw new Problem({ code, what, why, next, exit: 2 }, { cause: error })
  }
}

async function examine(
  { host, ui, settings, stopping }: Run<CheckCatalog>,
  { world, cloudflare }: Prepared,
): Promise<Checked[]> {
  const open = sharedLook(openDoor)
  const checks = [
    ...settingsChecks,
    ...storageChecks(open),
    ...publicWebChecks(open),
    ...(settings.on('sandbox') ? [noMastodon] : mastodonChecks),
  ]
  const done = ui.busy('Looking at everything')
  const options = { quick: settings.on('quick'), hold: stopping.hold }
  const looking = [
    runChecks(checks, world, options),
    unlessStopped(host.interrupted, cloudflare).then((side) =>
      runChecks(side.checks, world, options),
    ),
  ]
  return worstFirst((await allOf(looking).finally(done)).flat())
}

/** The last words of a look, and its exit code. */
async function conclude(
  { host, ui, render, settings }: Run<CheckCatalog>,
  { cloudflare }: Prepared,
  found: readonly Checked[],
  draft: Report,
): Promise<number> {
  const ok = having(found, 'fault').length === 0
  const report: Report = {
    ...draft,
    ok,
    settings: settingsOf(settings),
    steps: (await cloudflare).steps(),
    checks: reportChecks(found, render),
    warnings: having(found, 'warning').map(
      ({ title, verdict }) => `${title}: ${render(verdict.saw)}`,
    ),
    next: nextLines(troubled(found)).map(render),
  }
  // A cron job that finds nothing wrong must not send a mail.
  const isSilent = ok && settings.on('quiet') && !settings.on('json')
  const { standIn } = host
  const sections = [
    ...(standIn?.isKept ? [] : mendable(found, settings)),
    ...(standIn ? rehearsalOver(standIn, toType('check')) : []),
  ]
  if (!isSilent) ui.finish(report, { headline: verdictsInWords(found), sections })
  return ok ? 0 : 1
}

function nextLines(found: readonly Checked[]): Text[] {
  return uniqueText(found.flatMap(({ verdict }) => ('next' in verdict ? [verdict.next] : [])))
}

/** That there is a shorter way, and where there is none. */
function mendable(
  found: readonly Checked[],
  settings: Run<CheckCatalog>['settings'],
): Closing['sections'] {
  const all = troubled(found)
  const fixes = settings.on('fix')
  if (fixes && all.length > 0) {
    return [
      {
        title: 'Nothing was changed',
        lines: ['None of this can be put right safely by a program; what to type stands above.'],
      },
    ]
  }
  if (fixes || !all.some(({ verdict }) => 'mend' in verdict && verdict.mend)) return []
  return [
    {
      title: 'To put right what can be, after one yes',
      lines: [
        prose`  ${toType('check', { fix: true, ...(settings.on('sandbox') && { sandbox: true }) })}`,
      ],
    },
  ]
}
