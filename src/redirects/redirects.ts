import { dirname } from 'node:path'
import { Problem } from '../core/problem.ts'
import { prose, type Text, type ToType, uniqueText } from '../core/to-type.ts'
import { flow } from '../flow/flow.ts'
import { holdEnvFile } from '../flow/mastodon-here.ts'
import type { Ended, FlowSpec, Prepared } from '../flow/run.ts'
import type { Command, Host } from '../host.ts'
import type { PlaceWorld, StepIn } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { noEffect } from '../settings/no-effect.ts'
import { repeated, replay } from '../settings/replay.ts'
import { readTemplate } from '../template.ts'
import type { Closing } from '../ui/port.ts'
import { bulkRedirects } from './bulk.ts'
import { dropBulkRedirects, dropSingleRedirects } from './drop.ts'
import { extraMediaHosts, keptId, keptPlace } from './kept.ts'
import { knownMediaIsPublic } from './known-media.ts'
import {
  connectWithToken,
  notAsked,
  type PreparedRedirects,
  prepareRedirects,
  type RedirectsRun,
} from './prepare.ts'
import { type OldPrefix, prefixName, type Redirecting } from './redirecting.ts'
import { beforeRestart } from './restarted.ts'
import { chooseRoutes, type Route } from './routes.ts'
import { redirectsCatalog, redirectsFlags } from './settings.ts'
import { singleRedirect } from './single.ts'
import {
  type WebServer,
  type WebServerBlock,
  type WebServerPort,
  webServerBlock,
  webServerTemplate,
  webServerText,
} from './web-server.ts'

/** What a person has to put into the configuration of a web server. */
export interface ToldBlock {
  readonly title: string
  readonly text: string
}

interface RedirectsEnded extends Ended {
  readonly again: ToType
  readonly prefixes: readonly OldPrefix[]
  readonly mediaHost: string
  readonly blocks: readonly ToldBlock[]
  /** What was to be taken away: all of this program's, or those that flags name. */
  readonly remove: 'all' | 'some' | undefined
}

type Section = Closing['sections'][number]

/** The last words of `redirects`. */
export function redirectsClosing(ended: RedirectsEnded): Closing {
  const { report, again } = ended
  const blocks = ended.blocks.map(blockSection)
  const skipped = report.steps.filter(({ status }) => status === 'skipped')
  const left: Section = {
    title: 'What is left',
    lines: [...skipped.map(({ title, note }) => `${title}: ${note}`), ...forThePerson(ended)],
  }
  const sections = [...blocks, ...(skipped.length > 0 ? [left] : [])]
  if (report.problem) {
    const isBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
    const headline = isBegun
      ? 'Not finished. Run it again: it goes on from what it finds.'
      : 'Nothing was changed.'
    return { headline, sections: [...sections, { title: 'Again', lines: [prose`  ${again}`] }] }
  }
  const isOpen = report.steps.some(({ status }) => status === 'would-change')
  if (report.dryRun && isOpen) {
    const carryOut = { title: 'To carry it out', lines: [prose`  ${again}`] }
    const headline = 'That is the plan. Nothing was changed.'
    return { headline, sections: [...sections, carryOut] }
  }
  if (ended.remove !== undefined) return { headline: removed(ended.remove, report.steps), sections }
  if (blocks.length > 0) {
    const prove = { title: 'Then, to see whether it works', lines: [prose`  ${again}`] }
    const headline = 'The web server has to do it. Nothing was written; this is for you:'
    return { headline, sections: [...sections, prove] }
  }
  return { headline: ledWords(ended), sections }
}

function ledWords({ prefixes, mediaHost, report }: RedirectsEnded): string {
  if (prefixes.length === 0) {
    return `Media addresses began with https://${mediaHost}/ before, too; no redirect is needed.`
  }
  const open = new Set(report.steps.flatMap(({ id, status }) => (status === 'skipped' ? [id] : [])))
  const led = prefixes.filter((prefix) => !open.has(keptId(prefix)))
  if (led.length === 0) return 'No redirect can be made from here; see what is left.'
  const names = led.map((prefix) => `https://${prefixName(prefix)}...`).join(', ')
  return `${names} ${led.length === 1 ? 'leads' : 'lead'} to https://${mediaHost}/...`
}

/** Without the blocks for web servers, which are shown by themselves. */
function forThePerson({ plan, prefixes }: RedirectsEnded): readonly Text[] {
  const ids = ['extra-media-hosts', ...prefixes.map(keptId)]
  const later = (plan?.items ?? []).flatMap(({ id, finding }) =>
    ids.includes(id) && finding.is === 'later' && finding.next !== '' ? [finding.next] : [],
  )
  return uniqueText(later)
}

/** Two spaces in front keep a line whole. */
function blockSection({ title, text }: ToldBlock): Section {
  return {
    title,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  }
}

function removed(which: 'all' | 'some', steps: Ended['report']['steps']): string {
  if (steps.some(({ status }) => status === 'changed')) return 'The redirects are gone.'
  if (!steps.every(({ status }) => status === 'ready')) return 'Nothing was removed.'
  return which === 'all'
    ? 'There was no redirect of this program at Cloudflare.'
    : 'There was no such redirect of this program at Cloudflare; others were not looked for.'
}

/** Old media addresses lead to the media host: at Cloudflare, or in the web server. */
export const redirects: Command = {
  run: (host, argv) => flow(host, argv, redirectsSpec()),
}

/** As a stage of another command. */
export function redirectsWithin(
  host: Host,
  argv: readonly string[],
  within: RedirectsWithin,
): Promise<number> {
  return flow(host, argv, redirectsSpec(within))
}

export interface RedirectsWithin {
  /** In the place of the real one, for tests. */
  readonly web?: PreparedRedirects['world']['web']
  /** PEM of a certificate authority to trust besides the usual ones; in a rehearsal. */
  readonly ca?: string | undefined
  /** What repeats it, where that is another command's line. */
  readonly again?: ToType | undefined
  /** The command around it keeps others from the env file already. */
  readonly holdsEnvFile?: boolean
  /** When its cut-over had seen that all of Mastodon runs with R2. */
  readonly runsSince?: Date | undefined
}

export function redirectsSpec(
  within: RedirectsWithin = {},
): FlowSpec<typeof redirectsCatalog, PlaceWorld> {
  return {
    name: 'redirects',
    catalog: redirectsCatalog,
    accepts: redirectsFlags,
    async prepare(run) {
      const { settings } = run
      const prepared = await prepareRedirects(run, within)
      const blocks: ToldBlock[] = []
      const remove = settings.on('remove')
      const { steps, world } = await (remove
        ? dropping(run, prepared)
        : making(run, prepared, { blocks, within }))
      const without = notAsked(run)
      const again =
        within.again ?? replay('redirects', redirectsFlags, settings.entries(), { without })
      const { prefixes, redirecting } = prepared
      const { mediaHost } = redirecting
      const shown = uniqueBlocks(blocks)
      return {
        world,
        steps,
        planTitle: 'Plan',
        shown: ['mediaHost', 'via', 'status', 'oldAddress'],
        // Nothing but rules of this program goes, and only with --remove.
        flagged: true,
        again,
        details: () => {
          const texts = shown().map(({ title, text }) => `${title}:\n${text}`)
          return texts.length === 0 ? {} : { next: [...texts, run.render(again)] }
        },
        closing: (ended) => {
          const isAll = settings.get('via') === 'auto' && settings.get('oldAddress') === undefined
          const which = remove ? (isAll ? 'all' : 'some') : undefined
          const known = { again, prefixes, mediaHost, blocks: shown(), remove: which } as const
          return redirectsClosing({ ...ended, ...known })
        },
      }
    },
  }
}

type Parts = Pick<Prepared<PlaceWorld>, 'steps' | 'world'>

async function making(
  run: RedirectsRun,
  { world, redirecting: wish, instanceHost, prefixes, runsSince }: PreparedRedirects,
  { blocks, within }: { readonly blocks: ToldBlock[]; readonly within: RedirectsWithin },
): Promise<Parts> {
  const { settings } = run
  const via = settings.need('via')
  let cloudflare = world.cloudflare
  const routes = await chooseRoutes({
    via,
    prefixes,
    instanceHost,
    web: world.web,
    async connect(useful) {
      const connected = await connectWithToken(run, { needed: via !== 'auto', useful })
      cloudflare = connected ?? cloudflare
      return connected
    },
  })
  refuseOtherAccount(run, routes)
  const { connectWebServer } = await import('./web-server.ts')
  const webServer = connectWebServer((command) => world.runner.run(command))
  const told = (block: ToldBlock) => void blocks.push(block)
  const { installation } = world.place
  const line = repeated('redirects', redirectsFlags, settings.entries(), { without: notAsked(run) })
  const restarted = {
    installation,
    runsSince: within.runsSince ?? runsSince,
    assumed: settings.on('assumeRestarted'),
    line: line.with({ assumeRestarted: true }),
  }
  const redirecting = { ...wish, notYet: () => beforeRestart(world, restarted) }
  if (within.holdsEnvFile !== true && routes.some(({ by }) => by === 'kept')) {
    await holdEnvFile(run, installation.envFile, { lookOnly: !redirecting.switchedOn })
  }
  const steps = await redirectSteps(redirecting, routes, {
    ...{ instanceHost, webServer, told },
    textFor: (kind, prefix) => textFor(kind, prefix, { installation, instanceHost, redirecting }),
  })
  return { steps, world: { ...world, cloudflare } }
}

/** A zone is in one account, whichever one is named. */
function refuseOtherAccount({ settings }: RedirectsRun, routes: readonly Route[]): void {
  const wished = settings.get('accountId')
  for (const route of routes) {
    if (wished === undefined || !('zone' in route) || route.zone.account.id === wished) continue
    const { name, account } = route.zone
    throw noEffect('--account-id', `The domain ${name} is in the account ${account.id}.`)
  }
}

interface ForWebServers {
  readonly instanceHost: string
  readonly webServer: WebServerPort
  readonly told: (block: ToldBlock) => void
  readonly textFor: (kind: WebServer, prefix: OldPrefix) => Promise<(status: 301 | 302) => string>
}

/** Known media first; then each prefix where its route goes, those of a list together. */
export async function redirectSteps(
  redirecting: Redirecting,
  routes: readonly Route[],
  { instanceHost, webServer, told, textFor }: ForWebServers,
): Promise<readonly StepIn<PlaceWorld>[]> {
  const steps: StepIn<PlaceWorld>[] = []
  for (const route of routes) {
    if (route.by === 'kept') {
      steps.push(keptPlace(redirecting, route.prefix, route.why))
      continue
    }
    if ('zone' in route) {
      if (route.by === 'single') steps.push(singleRedirect(redirecting, route.prefix, route.zone))
      continue
    }
    const { by: kind, prefix, why } = route
    const text = await textFor(kind, prefix)
    const isHere = prefix.host === instanceHost
    steps.push(webServerBlock(redirecting, { kind, prefix, isHere, why, text, webServer, told }))
  }
  const bulk = routes.flatMap((route) => ('zone' in route && route.by === 'bulk' ? [route] : []))
  if (bulk[0]) {
    const prefixes = bulk.map(({ prefix }) => prefix)
    steps.push(bulkRedirects(redirecting, prefixes, bulk[0].zone.account.id))
  }
  const kept = routes.flatMap(({ by, prefix }) => (by === 'kept' ? [prefix.host] : []))
  // Before the switch they are named anyway, and the switch itself goes on naming them.
  if (kept.length > 0 && redirecting.switchedOn) steps.push(extraMediaHosts([...new Set(kept)]))
  const strict = routes.some((route) => 'zone' in route)
  return [knownMediaIsPublic(redirecting, { strict }), ...steps]
}

async function dropping(
  run: RedirectsRun,
  { world, redirecting, prefixes }: PreparedRedirects,
): Promise<Parts> {
  const { settings } = run
  const via = settings.need('via')
  if (via === 'nginx' || via === 'caddy') throw notOurs(via)
  const cloudflare = await connectWithToken(run, { needed: true, useful: true })
  const zones = (await cloudflare?.listZones(settings.get('accountId'))) ?? []
  const only = settings.get('oldAddress') === undefined ? undefined : prefixes
  const wish = { mediaHost: redirecting.mediaHost, only }
  const accounts = [...new Set(zones.map(({ account }) => account.id))]
  const steps = [
    ...(via === 'bulk' ? [] : [dropSingleRedirects(wish, zones)]),
    ...(via === 'single' ? [] : accounts.map((id) => dropBulkRedirects(wish, id))),
  ]
  return { steps, world: { ...world, cloudflare: cloudflare ?? world.cloudflare } }
}

/** Files of this machine come first where the address is the instance's own. */
async function textFor(
  kind: WebServer,
  prefix: OldPrefix,
  at: {
    readonly installation: Installation
    readonly instanceHost: string
    readonly redirecting: Redirecting
  },
): Promise<WebServerBlock['text']> {
  const isHere = prefix.host === at.instanceHost
  const template = await readTemplate(webServerTemplate(kind, isHere))
  const publicFolder = isHere ? publicFolderOf(at.installation, prefix) : undefined
  const { mediaHost } = at.redirecting
  return (status, hsts) =>
    webServerText(template, { kind, prefix, mediaHost, status, publicFolder, hsts })
}

function publicFolderOf({ media, dir }: Installation, { path }: OldPrefix): string {
  const end = path.replace(/\/$/, '')
  if (media.root?.endsWith(end)) return media.root.slice(0, -end.length)
  return `${dir ?? (media.root === undefined ? '/home/mastodon/live' : dirname(media.root))}/public`
}

/** A look is repeated now and then; what it tells is the same. */
function uniqueBlocks(blocks: readonly ToldBlock[]): () => readonly ToldBlock[] {
  return () => [...new Map(blocks.map((block) => [block.text, block])).values()]
}

function notOurs(via: string): Problem {
  return new Problem({
    code: 'not-ours-to-remove',
    what: `What is in the files of ${via} was put there by you.`,
    why: 'This program never writes to them, so it takes nothing out of them.',
    next: `Remove the block there and reload ${via}. For rules at Cloudflare leave --via out.`,
    exit: 2,
  })
}
