import { unlessStopped } from '../core/clock.ts'
import { sharedLook } from '../core/once.ts'
import { Problem } from '../core/problem.ts'
import { type Text, uniqueText } from '../core/to-type.ts'
import { type Run, session, settingsOf } from '../flow/flow.ts'
import type { Command, Host } from '../host.ts'
import { type Report, reportChecks } from '../plan/report.ts'
import type { Checked, Severity } from '../plan/verdict.ts'
import { refuseContradictions } from '../settings/catalog.ts'
import { firstFlag, noEffect } from '../settings/no-effect.ts'
import { mastodonChecks } from './areas/mastodon.ts'
import { publicWebChecks } from './areas/public-web.ts'
import { settingsChecks } from './areas/settings.ts'
import { storageChecks } from './areas/storage.ts'
import { openDoor } from './areas/storage-door.ts'
import { lookAtCloudflare } from './cloudflare-side.ts'
import { asPlugin, isPlugin } from './nagios.ts'
import { runChecks } from './run.ts'
import { type CheckCatalog, checkCatalog, checkFlags } from './settings.ts'
import { checkWorld, findInstallation, findStorage } from './world.ts'

/** The doctor: looks at everything, with or without a Cloudflare token, and changes nothing. */
export const check: Command = {
  run: (host, argv) => (isPlugin(host, argv) ? asPlugin(host, argv, look) : look(host, argv)),
}

function look(host: Host, argv: readonly string[]): Promise<number> {
  const accepts = { ...checkFlags, format: checkCatalog.format }
  const spec = { name: 'check', catalog: checkCatalog, accepts }
  return session(host, argv, spec, async (run, draft) => {
    const ready = await unlessStopped(host.interrupted, prepared(run))
    return examine(run, ready, draft)
  })
}

type Prepared = Awaited<ReturnType<typeof prepare>>

async function prepare(run: Run<CheckCatalog>) {
  const { ui, settings } = run
  // Of init's --format, which check's has nothing to do with.
  refuseContradictions((name) => (name === 'format' ? undefined : settings.source(name)))
  refuseWithoutToken(settings)
  const installation = await findInstallation(run)
  const { storage, remembered } = findStorage(settings, installation)
  const files = installation.envFiles.map(({ path }) => path).join(', ')
  ui.say(`Settings of Mastodon: ${files || installation.envFile.path}`)
  const world = await checkWorld(run, installation, storage)
  const done = ui.busy('Asking Cloudflare')
  const cloudflare = await lookAtCloudflare(run, world, remembered).finally(done)
  return { world, cloudflare }
}

/** Cloudflare alone knows about these, and without a token it is not asked. */
function refuseWithoutToken(settings: Run<CheckCatalog>['settings']): void {
  if (settings.get('apiToken') !== undefined) return
  const names = ['jurisdiction', 'corsOrigin', 'tokenKind', 'cloudflareApiUrl']
  const flag = firstFlag(settings, names)
  if (flag === undefined) return
  const next = `Leave ${flag} out, or add a token: --api-token-file PATH, or CLOUDFLARE_API_TOKEN.`
  throw noEffect(flag, 'Without an API token Cloudflare is not asked.', next)
}

/** What keeps the checks from being made is no fault of the setup: exit code 2. */
async function prepared(run: Run<CheckCatalog>): Promise<Prepared> {
  try {
    return await prepare(run)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { code, what, why, next } = error
    throw new Problem({ code, what, why, next, exit: 2 }, { cause: error })
  }
}

async function examine(
  { ui, render, settings, stopping }: Run<CheckCatalog>,
  { world, cloudflare }: Prepared,
  draft: Report,
): Promise<number> {
  const open = sharedLook(openDoor)
  const checks = [
    ...settingsChecks,
    ...storageChecks(open),
    ...publicWebChecks(open),
    ...mastodonChecks,
    ...cloudflare.checks,
  ]
  const done = ui.busy('Looking at everything')
  const options = { quick: settings.on('quick'), hold: stopping.hold }
  const found = await runChecks(checks, world, options).finally(done)
  ui.showChecks(found, { verbose: settings.on('verbose') })
  const faults = having(found, 'fault')
  const ok = faults.length === 0
  const report: Report = {
    ...draft,
    ok,
    settings: settingsOf(settings),
    steps: cloudflare.steps(),
    checks: reportChecks(found, render),
    warnings: having(found, 'warning').map(
      ({ title, verdict }) => `${title}: ${render(verdict.saw)}`,
    ),
    next: nextLines([...faults, ...having(found, 'warning')]).map(render),
  }
  // A cron job that finds nothing wrong must not send a mail.
  const isSilent = ok && settings.on('quiet') && !settings.on('json')
  if (!isSilent) ui.finish(report, { headline: headlineOf(found), sections: [] })
  return ok ? 0 : 1
}

function having(found: readonly Checked[], severity: Severity): Checked[] {
  return found.filter(({ verdict }) => verdict.severity === severity)
}

function nextLines(found: readonly Checked[]): Text[] {
  return uniqueText(found.flatMap(({ verdict }) => ('next' in verdict ? [verdict.next] : [])))
}

function headlineOf(found: readonly Checked[]): string {
  const counted = (['fault', 'warning'] as const).flatMap((severity) => {
    const { length } = having(found, severity)
    return length === 0 ? [] : [`${length} ${severity}${length === 1 ? '' : 's'}`]
  })
  if (counted.length === 0) return 'All well.'
  return having(found, 'fault').length === 0
    ? `All works; ${counted.join(', ')}.`
    : `Not all is well: ${counted.join(', ')}.`
}
