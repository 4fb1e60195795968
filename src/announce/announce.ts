import { Problem } from '../core/problem.ts'
import type { Text } from '../core/to-type.ts'
import { asRoot, prose } from '../core/to-type.ts'
import { instanceUnknown } from '../flow/mastodon-here.ts'
import type { Change, Finding, Step, World } from '../plan/step.ts'
import { type CheckpointPort, noted } from '../services/checkpoint/port.ts'
import { envFileNotWritable } from '../services/mastodon/port.ts'
import type { PlacedCommand } from '../services/process/port.ts'
import { overruled } from '../setup/env-file.ts'
import { unreachedBy } from '../setup/reach.ts'
import { bootCost, linesOf, runPlaced } from '../setup/restart.ts'
import { ANNOUNCED_DAYS, safeFrom } from './notes.ts'
import { announcingLines, type PageNames, pageNames, visit } from './pages.ts'

type Needs = 'web' | 'envWriter' | 'runner' | 'clock' | 'place'
type At = Pick<World, Needs>

/** What an announcement needs of the migration or setup that makes it. */
interface Announcing {
  readonly checkpoint: CheckpointPort
  readonly tell: (line: string) => void
}

export interface AnnounceWishes {
  /** Makes the web part read the env file anew; undefined where that is not known. */
  readonly reload: readonly PlacedCommand[] | undefined
}

/** Milliseconds that Puma gets until its pages show what it has read. */
const DEADLINE_MS = 180_000

/**
 * The media host in the Content-Security-Policy of the instance before anything is stored there:
 * browsers that know the page keep its old policy up to a week (mastodon#27446).
 */
export function announce(
  { checkpoint, tell }: Announcing,
  { reload }: AnnounceWishes,
): Step<Needs> {
  return {
    id: 'announce',
    title: 'Announcement',

    async look(at): Promise<Finding> {
      const { mediaHost } = at.place
      const seen = await see(at)
      if (seen instanceof Problem) return later(`it can't be seen: ${seen.what}`, seen.next)
      const since = (await checkpoint.read())?.announcedAt
      if (seen !== 'not-host') {
        if (since !== undefined) return { is: 'ready', note: announced(mediaHost, seen, since) }
        const what = `note that the pages of ${ownHost(at)} ${allow(seen)} ${mediaHost} as of today`
        return { is: 'change', changes: [{ what, risk: 'safe' }] }
      }
      const edit = await editOf(at)
      if (edit === undefined) return cannotAnnounce(at)
      if (edit instanceof Problem) return { is: 'blocked', problem: edit }
      if (reload === undefined) {
        const lines = [...edit.values].map(([name, value]) => `${name}=${value}`).join(' and ')
        return later(`set ${lines}, and restart Mastodon's web part`, '')
      }
      return { is: 'change', changes: changesOf(at, edit, reload) }
    },

    async change(at) {
      const seen = await see(at)
      if (seen instanceof Problem) throw seen
      if (seen === 'not-host') await carryOut(at, reload ?? [], tell)
      await noted(checkpoint, { announcedAt: at.clock.now().toISOString() })
      return {}
    },
  }
}

async function carryOut(at: At, reload: readonly PlacedCommand[], tell: Announcing['tell']) {
  const edit = await editOf(at)
  if (edit === undefined || edit instanceof Problem) return
  if (edit.isNew) await at.envWriter.write(at.place.installation.envFile, edit.text)
  await runPlaced(at.runner, reload, 'The env file names the media host; nothing else changed.')
  const end = at.clock.now().getTime() + DEADLINE_MS
  for (;;) {
    const seen = await see(at)
    if (seen === 'host' || seen === 'no-policy') return
    if (at.clock.now().getTime() >= end) throw notNamed(at)
    tell('Waiting until the pages name the media host')
    await at.clock.sleep(2_000)
  }
}

/** A page that can't be looked at is a Problem, and no reason to stop by itself. */
async function see(at: At): Promise<PageNames | Problem> {
  const host = ownHost(at)
  if (host === undefined) return instanceUnknown(at.place.installation)
  try {
    const { status, header } = await visit(at.web, host, '/')
    const headers = header('content-security-policy')
    if (headers.length === 0 && status >= 400) return hidden(host, status)
    return pageNames(headers, at.place.mediaHost)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function ownHost({ place: { installation } }: At): string | undefined {
  return installation.webDomain ?? installation.localDomain
}

interface Edit {
  readonly values: ReadonlyMap<string, string>
  readonly text: string
  readonly isNew: boolean
}

/** Undefined where this Mastodon can't announce a host. */
async function editOf({ place, envWriter }: At): Promise<Edit | Problem | undefined> {
  const { installation, mediaHost } = place
  const file = installation.envFile
  const values = announcingLines(installation, mediaHost)
  if (values === undefined) return undefined
  const isNew = [...values].some(
    ([name, value]) => installation.settings.get(name)?.value !== value,
  )
  const text = isNew ? envWriter.edit(file.text, values, []) : file.text
  const problem =
    overruled(installation, file, values) ??
    (await unreachedBy(installation, envWriter, { file, text }, values))
  if (problem) return problem
  if (isNew && !file.writable)
    return envFileNotWritable(file.path, {
      needed: 'The media host has to be named there before the switch.',
    })
  return { values, text, isNew }
}

function changesOf({ place, envWriter }: At, edit: Edit, reload: readonly PlacedCommand[]) {
  const { envFile } = place.installation
  const written = edit.isNew
    ? [
        `name the media host in ${envFile.path} (a backup is kept)`,
        ...envWriter.diff(envFile.text, edit.text).filter((line) => line.length > 2),
      ]
    : []
  const changes: Change[] = written.map((what) => ({ what, risk: 'safe' }))
  return [
    ...changes,
    { what: `run: ${linesOf(reload)}${bootCost(reload)}`, risk: 'public' as const },
  ]
}

function allow(seen: PageNames): string {
  return seen === 'host' ? 'name' : 'send no Content-Security-Policy, so allow'
}

function announced(host: string, seen: PageNames, since: string): string {
  const from = safeFrom(since).toISOString().slice(0, 10)
  return `the pages ${allow(seen)} ${host} since ${since.slice(0, 10)}; a switch is safe from ${from}`
}

function later(note: string, next: Text): Finding {
  return { is: 'later', note, next }
}

function cannotAnnounce({ place: { installation } }: At): Finding {
  const note = `Mastodon ${installation.version} can't name a second media host (4.4 and later can)`
  const warning = `${note}. For up to ${ANNOUNCED_DAYS} days after the switch, browsers of people who are logged in may refuse media until the page is reloaded.`
  return { is: 'later', note, next: '', warnings: [warning] }
}

function hidden(host: string, status: number): Problem {
  return new Problem({
    code: 'instance-hidden',
    what: `https://${host}/ answered with status ${status}.`,
    why: 'So it sends no Content-Security-Policy to look at.',
    next: `Look at what answers there: curl -sI https://${host}/`,
  })
}

function notNamed({ place: { mediaHost } }: At): Problem {
  return new Problem({
    code: 'not-announced',
    what: `Mastodon's pages still do not name ${mediaHost}.`,
    why: 'Its web part was told to read the env file anew. Either it did not, or something in front sends a Content-Security-Policy of its own.',
    next: prose`Restart the web part (${asRoot('systemctl restart mastodon-web')}), look for Content-Security-Policy in the web server's settings, and run this again.`,
  })
}
