import { bytesOf, counted } from '../core/amounts.ts'
import { unlessStopped } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import { session } from '../flow/flow.ts'
import { findMastodonHere } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { settingsOf } from '../flow/session.ts'
import { accountLink, chooseAccount, refuseOtherAccount } from '../flow/token.ts'
import { callListener, chooseCloudflare, s3Connector } from '../flow/world.ts'
import type { Command } from '../host.ts'
import { dollars, prices } from '../plan/prices.ts'
import type { Report } from '../plan/report.ts'
import type { Usage } from '../plan/report-usage.ts'
import { permissionNames, type R2Day } from '../services/cloudflare/port.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'
import { catalog, type SetupCatalog } from '../settings/catalog.ts'
import { firstFlag, withoutToken } from '../settings/no-effect.ts'
import { findTarget, type MigrationTarget } from '../setup/target.ts'
import { speaksUtf8 } from '../ui/ascii.ts'
import type { Closing } from '../ui/port.ts'
import { causesOf } from './causes.ts'
import type { Screen } from './chart.ts'
import { ageLines, billLines, chartLines, kindLines, noteLines, operationLines } from './lines.ts'
import { monthOf, monthOfStorage, savedBy } from './month.ts'
import { dayRows, daysUpTo, operationRows, readDays, SHOWN_DAYS } from './requests.ts'
import { usageFlags } from './settings.ts'
import { StoredCount } from './stored.ts'

type UsageRun = Run<SetupCatalog>

/** What this month costs: it looks at the bucket's list and Cloudflare's analytics, and changes nothing. */
export const usage: Command = {
  run: (host, argv) =>
    session(host, argv, { name: 'usage', catalog, accepts: usageFlags }, async (run, draft) => {
      const found = await unlessStopped(host.interrupted, look(run))
      return tell(run, found, draft)
    }),
}

interface Found {
  readonly usage: Usage
  readonly causes: readonly { readonly fact: string; readonly advice: Text }[]
  readonly warnings: readonly string[]
}

async function look(run: UsageRun): Promise<Found> {
  const { settings, clock } = run
  refuseUnasked(settings)
  const installation = await findMastodonHere(run)
  const target = await findTarget(installation, settings)
  const { path: from } = target.aside ?? installation.envFile
  refuseOtherAccount(settings, { accountId: target.accountId, from })
  const now = clock.now()
  const [counted, known] = await Promise.all([
    countBucket(run, target, now),
    askAnalytics(run, target, now),
  ])
  return describe(target, { counted, known, now, render: run.render })
}

/** Only Cloudflare's analytics are asked with these. */
function refuseUnasked(settings: UsageRun['settings']): void {
  if (settings.get('apiToken') !== undefined) return
  const flag = firstFlag(settings, ['accountId', 'cloudflareApiUrl'])
  if (flag !== undefined) throw withoutToken(flag)
}

/** Milliseconds between two states of the list on the screen. */
const TELL_MS = 200

async function countBucket(
  run: UsageRun,
  target: MigrationTarget,
  now: Date,
): Promise<StoredCount> {
  const { ui, host } = run
  const { endpoint, bucket, key } = target
  const connect = await s3Connector({ endpoint, bucket, onCall: callListener(run), host })
  const counted = new StoredCount(now)
  let toldAt = 0
  try {
    for await (const page of connect(key).pages('', host.interrupted)) {
      counted.see(page)
      if (performance.now() - toldAt < TELL_MS) continue
      toldAt = performance.now()
      ui.progress(`Looking at the bucket: ${sizeOf(counted)} so far`)
    }
  } finally {
    ui.progress(undefined)
  }
  return counted
}

/** The days, or why they are not known. */
type Known =
  | { readonly days: readonly R2Day[] }
  | { readonly why: string; readonly problem?: Problem }

async function askAnalytics(run: UsageRun, target: MigrationTarget, now: Date): Promise<Known> {
  const { settings } = run
  if (settings.get('apiToken') === undefined) return { why: 'no API token was given.' }
  const ui = { ...run.ui, canAsk: false }
  try {
    if (target.accountId !== undefined && settings.get('accountId') === undefined) {
      settings.offer('accountId', target.accountId, 'the env file')
    }
    const { cloudflare } = await chooseCloudflare({ ...run, ui })
    const accountId = target.accountId ?? (await chooseAccount(settings, ui, cloudflare))
    return { days: await readDays(cloudflare.analytics, accountId, daysUpTo(now)) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const lacks = `the API token lacks "${permissionNames.analytics}", or is not for this account.`
    const why = isForbidden(error)
      ? lacks
      : `Cloudflare's analytics could not be read. ${error.what}`
    return { why, problem: error }
  }
}

function describe(
  target: MigrationTarget,
  {
    counted,
    known,
    now,
    render,
  }: {
    readonly counted: StoredCount
    readonly known: Known
    readonly now: Date
    readonly render: UsageRun['render']
  },
): Found {
  const { bucket, jurisdiction } = target
  const stored = counted.stored()
  const days = 'days' in known ? known.days : undefined
  const name = jurisdiction === 'default' ? bucket : `${jurisdiction}_${bucket}`
  const analytics = days && {
    days: dayRows(days),
    operations: operationRows(days.slice(-SHOWN_DAYS), name),
  }
  const month = analytics ? monthOf(analytics.days, now) : monthOfStorage(stored.bytes, now)
  const causes = causesOf(analytics?.operations ?? [], stored)
  const cleanups = counted.removable().map(({ what, command, objects, bytes }) => ({
    how: `${command} (${what})`,
    objects,
    bytes,
    dollars: savedBy(month.expected, { bytes }),
  }))
  const { problem, why = null } = 'why' in known ? known : {}
  return {
    usage: {
      at: now.toISOString(),
      bucket,
      stored,
      analytics: analytics ?? null,
      withoutAnalytics: why,
      month,
      causes: causes.map(({ fact, advice }) => ({ fact, advice: render(advice) })),
      savings: cleanups.filter(({ objects }) => objects > 0),
      prices: { readOn: prices.readOn, source: prices.source },
    },
    causes,
    warnings: [
      ...(problem ? [`${why} ${render(problem.next)}`] : []),
      ...(days?.some(({ isCutOff }) => isCutOff)
        ? ['Cloudflare gave a part of the requests of a day alone: there were more than they show.']
        : []),
    ],
  }
}

function tell(run: UsageRun, { usage, causes, warnings }: Found, draft: Report): number {
  const { ui, settings } = run
  for (const warning of warnings) ui.warn(warning)
  const report: Report = {
    ...draft,
    ok: true,
    settings: settingsOf(settings),
    warnings: [...warnings],
    usage,
  }
  const sections = settings.on('quiet') ? [] : sectionsOf(usage, causes, screenOf(run))
  ui.finish(report, { headline: headlineOf(usage), sections })
  return 0
}

function headlineOf({ month, stored }: Usage): string {
  const { soFar, expected } = month
  const size = `${counted(stored.objects, 'object')}, ${bytesOf(stored.bytes)}`
  return soFar
    ? `${dollars(soFar.bill.total)} so far this month, ${dollars(expected.bill.total)} at its end. In the bucket: ${size}.`
    : `${dollars(expected.bill.total)} a month for what is stored; requests are not known. In the bucket: ${size}.`
}

function sizeOf({ objects, bytes }: Pick<StoredCount, 'objects' | 'bytes'>): string {
  return `${counted(objects, 'object')}, ${bytesOf(bytes)}`
}

function sectionsOf(usage: Usage, causes: Found['causes'], screen: Screen): Closing['sections'] {
  const { analytics, savings } = usage
  const sections: Closing['sections'] = [
    { title: analytics ? 'This month' : 'A month of storage', lines: billLines(usage, screen) },
    { title: 'What is stored, by kind', lines: kindLines(usage, screen) },
    { title: 'By age in the bucket', lines: ageLines(usage, screen) },
    ...(analytics
      ? [
          { title: `Requests a day, ${SHOWN_DAYS} days`, lines: chartLines(usage, screen) },
          {
            title: 'The dearest requests, as if none were free',
            lines: operationLines(usage, screen),
          },
        ]
      : []),
    {
      title: 'Why',
      lines: causes.flatMap(({ fact, advice }) => [fact, prose`What to do: ${advice}`]),
    },
    {
      title: 'What could be saved each month',
      lines: [...savings.map(savingWords), ...cacheWords(usage)],
    },
    { title: 'Where the numbers come from', lines: noteLines(usage) },
    ...(analytics ? [] : [{ title: 'To see requests and the bill, too', lines: tokenLines() }]),
  ]
  return sections.filter(({ lines }) => lines.length > 0)
}

function savingWords({ how, bytes, objects, dollars: saved }: Usage['savings'][number]): string {
  return `${dollars(saved)}: ${how}: ${sizeOf({ objects, bytes })}`
}

/** What the edge rule could save, as far as it can be known: reads are not told by file type. */
function cacheWords({ stored, analytics, month }: Usage): Text[] {
  const { objects, bytes } = stored.notCachedByDefault
  if (objects === 0) return []
  const what = `${sizeOf({ objects, bytes })} of types that Cloudflare does not cache by itself`
  const rule = toType('init', { edge: 'cache-everything' })
  if (!analytics)
    return [prose`Reads of ${what} are paid each time, unless a rule caches them: ${rule}`]
  const reads = analytics.operations.find(({ action }) => action === 'GetObject')?.requests ?? 0
  const most = savedBy(month.expected, { classB: Math.min(reads, month.expected.classB) })
  return [
    prose`At most ${dollars(most)}: a rule that caches ${what}, where there is none yet. How often they are read is not told. ${rule}`,
  ]
}

function tokenLines(): Text[] {
  return [
    `Make a token with "${permissionNames.analytics}" alone, and give it in CLOUDFLARE_API_TOKEN:`,
    `  ${accountLink([['account_analytics', 'read']], 'mastodon-r2 usage')}`,
    prose`  ${toType('usage')}`,
  ]
}

/** A pipe is ASCII alone, and as wide as COLUMNS says. */
function screenOf({ host, ui }: UsageRun): Screen {
  const { stdout, environment } = host
  const told = stdout.isTTY ? stdout.columns : Number(environment.COLUMNS)
  const width = Number.isSafeInteger(told) && told > 0 ? told : 80
  return { width: Math.max(width, 40), unicode: ui.canAsk && speaksUtf8(environment) }
}
