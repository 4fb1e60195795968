import { cameMeanwhile } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import type { Rest } from '../moving/quiet.ts'
import type { Change, Finding, Step, World } from '../plan/step.ts'
import { editEnvFile } from '../services/mastodon/env-edit.ts'
import {
  type EnvFileOnDisk,
  envFileNotWritable,
  type Installation,
} from '../services/mastodon/port.ts'
import { leftBehind, overruled } from '../setup/env-file.ts'
import { isProbe } from '../setup/proof.ts'
import { unreachedBy } from '../setup/reach.ts'
import { linesOf, runPlaced } from '../setup/restart.ts'
import type { Leaving } from './leaving.ts'

/** What the steps of the switch know besides. */
export interface Switching extends Rest {
  /** Mastodon's env file as it is on disk at this moment. */
  readEnvFile(): Promise<EnvFileOnDisk>
}

type Needs = 'envWriter' | 'runner' | 'clock' | 'place' | 'facts'

/** Milliseconds that two clocks may be apart: what is older than the switch is found on R2 as well. */
const CLOCK_DOUBT_MS = 300_000
const NAMED = 5

/** The text of the env file as it names the destination. Those of the editor are thrown. */
export function textThere(
  { there }: Pick<Leaving, 'there'>,
  facts: World['facts'],
  text: string,
): string {
  const set = there.lines(facts)
  return there.commented(editEnvFile(text, { set, retire: there.retired }))
}

/** The same of the file, or Problem `env-file-shadowed` where something else would win. */
export function switchedTo(
  at: Pick<Leaving, 'there' | 'installation'>,
  facts: World['facts'],
  file: EnvFileOnDisk,
): string | Problem {
  const text = textThere(at, facts, file.text)
  return overruled(at.installation, file, at.there.lines(facts)) ?? text
}

interface Written {
  readonly before: EnvFileOnDisk
  readonly text: string
  readonly since: Date
}

/** Mastodon's settings lead to the destination, and back to R2 as long as the switch is not kept. */
export function envSwitch(leaving: Leaving, { services, readEnvFile }: Switching): Step<Needs> {
  const { there, installation } = leaving
  let written: Written | undefined
  return {
    id: 'env-switch',
    title: 'Env file',

    async look(at): Promise<Finding> {
      const file = await readEnvFile()
      const text = switchedTo(leaving, at.facts, file)
      if (text instanceof Problem) return { is: 'blocked', problem: text }
      if (text === file.text) {
        const unchanged = { file: file.path, backup: undefined, changed: [], diff: [] }
        const envWritten = at.facts.envWritten ?? unchanged
        return { is: 'ready', note: `${file.path} names ${there.it}`, facts: { envWritten } }
      }
      if (!file.writable) {
        const needed = 'Mastodon can not be switched without it.'
        return { is: 'blocked', problem: envFileNotWritable(file.path, { needed }) }
      }
      const problem =
        (await unreachedBy(installation, at.envWriter, { file, text }, there.lines(at.facts))) ??
        (await stillInForce(leaving, at, { file, text }))
      if (problem) return { is: 'blocked', problem }
      const changes = changesOf(leaving, at, { file, text })
      return { is: 'change', changes, warnings: leftBehind(file) }
    },

    async change(at) {
      const before = await readEnvFile()
      const text = switchedTo(leaving, at.facts, before)
      if (text instanceof Problem) throw text
      await there.settle()
      const since = await clockThere(leaving, at)
      const { backup } = await at.envWriter.write(before, text)
      written = { before, text, since }
      const diff = at.envWriter.diff(before.text, text)
      const names = [...there.lines(at.facts).keys(), ...there.retired]
      const changed = names.filter((name) => diff.some((line) => line.includes(`${name}=`)))
      return { envWritten: { file: before.path, backup, changed, diff } }
    },

    async undo(at) {
      if (written === undefined || at.facts.switched) return undefined
      const { before, text, since } = written
      const now = await readEnvFile()
      if (!now.exists || now.text !== text) {
        return `${now.path} was changed by someone else meanwhile, so it was not put back. Look at it, then restart Mastodon.`
      }
      await at.envWriter.putBack(now, before.text)
      written = undefined
      const back = services.commands?.restart ?? []
      const stale = `${now.path} is as it was; Mastodon may still run with ${there.it} until this was run: ${linesOf(back)}`
      await runPlaced(at.runner, back, stale)
      const sent = await sendSince(leaving, since)
      return `${now.path} is as it was before, and Mastodon runs with it (${linesOf(back)}). ${sent}`.trim()
    },
  }
}

interface Edited {
  readonly file: EnvFileOnDisk
  readonly text: string
}

function changesOf({ there }: Leaving, { envWriter }: At, { file, text }: Edited): Change[] {
  const lines = envWriter.diff(file.text, text).map((what) => ({ what, risk: 'safe' as const }))
  const what = `switch ${file.path} to ${there.it} (a backup is kept)`
  return [{ what, risk: 'public' }, ...lines]
}

type At = Pick<World, Needs>

/** Settings that Mastodon passes over where another one is there. */
const PASSED_OVER: Readonly<Record<string, readonly string[]>> = {
  S3_CLOUDFRONT_HOST: ['S3_ALIAS_HOST'],
  S3_HOSTNAME: ['S3_ALIAS_HOST', 'S3_CLOUDFRONT_HOST'],
}

/** A setting of R2 that is commented out here and stands elsewhere, too, for all of Mastodon or a service. */
async function stillInForce(
  { there, installation }: Leaving,
  { envWriter, facts }: At,
  { file, text }: Edited,
): Promise<Problem | undefined> {
  const lines = there.lines(facts)
  const names = there.retired.filter(
    (name) => !PASSED_OVER[name]?.some((other) => lines.has(other)),
  )
  const before = inForce(installation, names)
  if (before.length === 0) return undefined
  // An empty one that R2 was used with changes nothing; one that becomes empty is there all the same.
  const isEmpty = (name: string) => before.every((one) => one.name !== name || one.value === '')
  const after = inForce(await envWriter.preview(file, text), names)
  const found = after.filter(({ name, value }) => value !== '' || !isEmpty(name))
  if (found.length === 0) return undefined
  const places = [...new Set(found.map(({ from }) => from))]
  const parts = places.map((place) => {
    const own = found.filter(({ from }) => from === place).map(({ name }) => name)
    return `${place} sets ${[...new Set(own)].join(', ')}`
  })
  return new Problem({
    code: 'setting-of-r2-stays',
    what: `${[...new Set(found.map(({ name }) => name))].join(', ')} of R2 would stay in force after the switch.`,
    why: `${parts.join('; ')}. ${there.name} is used without that, and only ${file.path} is changed.`,
    next: `Let ${file.path} alone hold them: move those lines there from ${places.join(' and ')}, and run this again.`,
    exit: 2,
  })
}

/** As all of Mastodon reads them, and each of its services. */
function inForce({ settings, services = [] }: Installation, names: readonly string[]) {
  const readings = [settings, ...services.map((service) => service.settings)]
  return names.flatMap((name) =>
    readings.flatMap((reading) => {
      const setting = reading.get(name)
      return setting === undefined ? [] : [{ name, ...setting }]
    }),
  )
}

/** When what is stored there from now on will be said to have been stored. */
async function clockThere({ there }: Leaving, { clock }: At): Promise<Date> {
  if (there.kind === 'disk') return clock.now()
  const theirs = await there.time().catch(() => undefined)
  return theirs ?? new Date(clock.now().getTime() - CLOCK_DOUBT_MS)
}

/** What Mastodon stored at the destination while it was switched, and does not find any more now. */
async function sendSince({ there, bucket, rclone, signal }: Leaving, since: Date): Promise<string> {
  const { source } = there
  // A second for clocks that tell no less.
  const first = since.getTime() - 1_000
  let sent = 0
  let open = 0
  const left: string[] = []
  for await (const files of source.files(signal.aborted ? {} : { signal })) {
    for (const { key, changedAt } of files) {
      if (changedAt < first || isProbe(key) || (await bucket().head(key)) !== undefined) continue
      try {
        const contentType = rclone.contentType(key)
        const body = await source.read(key)
        await bucket().put(key, body, { contentType, cacheControl: MEDIA_CACHE_CONTROL })
        sent += 1
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        open += 1
        if (left.length < NAMED) left.push(key)
      }
    }
  }
  const brought = sent === 0 ? '' : `${cameMeanwhile(sent)} sent to the bucket.`
  const more = open > left.length ? `, and ${open - left.length} more` : ''
  const only = `${there.words.on.replace(/^./, (letter) => letter.toUpperCase())} only`
  return open === 0 ? brought : `${brought} ${only}: ${left.join(', ')}${more}.`.trim()
}

/** Once all of Mastodon runs with the destination, nothing goes back any more. */
export function switched({ there }: Pick<Leaving, 'there'>): Step<'facts' | 'clock'> {
  return {
    id: 'switched',
    title: 'Switched',

    async look({ facts }): Promise<Finding> {
      const will = 'keep the switch: up to here a failure puts everything back'
      if (facts.switched)
        return { is: 'ready', note: `Mastodon stores its media ${there.words.on}` }
      if (!facts.allFresh) return { is: 'waiting', on: 'allFresh', will }
      return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
    },

    async change({ clock }) {
      return { switched: { at: clock.now() } }
    },
  }
}
