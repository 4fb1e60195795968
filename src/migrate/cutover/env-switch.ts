import { Problem } from '../../core/problem.ts'
import type { Change, Finding, Step, World } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/port.ts'
import { type EnvFileOnDisk, envFileNotWritable } from '../../services/mastodon/port.ts'
import { type EnvSwitch, envSwitch, leftBehind, stillHindered } from '../../setup/env-file.ts'
import { knowsExtraHosts, otherProvidersHost } from '../../setup/media-hosts.ts'
import { unreachedBy } from '../../setup/reach.ts'
import { linesOf, runPlaced } from '../../setup/restart.ts'
import type { Migration } from '../migration.ts'
import type { Cutover } from './cutover.ts'
import { bringBackSince, broughtBackWords } from './rollback.ts'

type Needs = 'envWriter' | 'runner' | 'clock' | 'place' | 'facts'
type At = Pick<World, Needs>

interface Written {
  readonly before: EnvFileOnDisk
  readonly text: string
  readonly backup: string | undefined
  /** By R2's own clock; objects that are as young may be Mastodon's. */
  readonly since: Date
}

/** Where the two clocks of R2 and this machine may differ, milliseconds. */
const CLOCK_DOUBT_MS = 300_000

/** The env file is switched to R2, and put back as long as the switch is not proven. */
export function envSwitchStep(
  migration: Pick<Migration, 'bucket' | 'source' | 'tell' | 'checkpoint'>,
  cutover: Cutover,
): Step<Needs> {
  let written: Written | undefined
  return {
    id: 'env-switch',
    title: 'Env file',

    async look(at): Promise<Finding> {
      const file = await cutover.readEnvFile()
      const edit = envSwitch(at, file)
      if (edit instanceof Problem) return { is: 'blocked', problem: edit }
      if (edit.text === file.text) {
        const unchanged = { file: file.path, backup: undefined, changed: [], diff: [] }
        const envWritten = at.facts.envWritten ?? unchanged
        const known = at.facts.envWritten ? undefined : await migration.checkpoint.read()
        const warnings = known && !known.switchedAt ? [cutOff(file.path)] : []
        return { is: 'ready', note: `${file.path} names R2`, warnings, facts: { envWritten } }
      }
      if (!file.writable)
        return {
          is: 'blocked',
          problem: envFileNotWritable(file.path, {
            needed: 'Mastodon can not be switched without it.',
          }),
        }
      const { installation } = at.place
      const { text, values } = edit
      const problem =
        (await unreachedBy(installation, at.envWriter, { file, text }, values)) ??
        (await stillHindered(installation, at.envWriter, { file, text }))
      if (problem) return { is: 'blocked', problem }
      const changes = changesOf(file, edit, at)
      return { is: 'change', changes, warnings: [...oldHostWarning(at), ...leftBehind(file)] }
    },

    async change(at) {
      const before = await cutover.readEnvFile()
      const edit = envSwitch(at, before)
      if (edit instanceof Problem) throw edit
      const { text, names } = edit
      await forgetEarlierSwitch(migration)
      const since = await clockOf(migration, at)
      const { backup } = await at.envWriter.write(before, text)
      written = { before, text, backup, since }
      const diff = at.envWriter.diff(before.text, text)
      const changed = names.filter((name) => diff.some((line) => line.includes(`${name}=`)))
      return { envWritten: { file: before.path, backup, changed, diff } }
    },

    async undo(at) {
      if (written === undefined || at.facts.switched) return undefined
      const { before, text, backup, since } = written
      const now = await cutover.readEnvFile()
      if (!now.exists || now.text !== text) return left(now.path, backup)
      await at.envWriter.putBack(now, before.text)
      written = undefined
      const back = cutover.services.commands?.restart ?? []
      const stale = `${now.path} is as it was; Mastodon may still run with R2 until this was run: ${linesOf(back)}`
      await runPlaced(at.runner, back, stale)
      const brought = await bringBackSince(migration, cutover.bringBack, since)
      return `${now.path} is as it was before, and Mastodon runs with it (${linesOf(back)}). ${broughtBackWords(brought, at.place.at.bucket)}`.trim()
    },
  }
}

/** Of one that was taken back by hand: a run that is cut off must not pass for that one. */
async function forgetEarlierSwitch({ checkpoint }: Pick<Migration, 'checkpoint'>): Promise<void> {
  if ((await checkpoint.read())?.switchedAt === undefined) return
  await noted(checkpoint, { switchedAt: undefined, runsSince: undefined, equalAt: undefined })
}

async function clockOf({ bucket }: Pick<Migration, 'bucket'>, { clock }: At): Promise<Date> {
  const theirs = await bucket()
    .serverTime()
    .catch(() => undefined)
  return theirs ?? new Date(clock.now().getTime() - CLOCK_DOUBT_MS)
}

function changesOf(file: EnvFileOnDisk, { text, retired }: EnvSwitch, { envWriter }: At): Change[] {
  const lines = envWriter.diff(file.text, text).map((what) => ({ what, risk: 'safe' as const }))
  const reasons = [...retired].map(([name, why]) => `${name} (${why})`)
  const off = reasons.length === 0 ? '' : `; commented out: ${reasons.join(', ')}`
  const what = `switch ${file.path} to R2 (a backup is kept${off})`
  return [{ what, risk: 'public' }, ...lines]
}

function oldHostWarning({ place: { installation, mediaHost } }: At): string[] {
  const { settings, version } = installation
  const instanceHost = installation.webDomain ?? installation.localDomain
  const old = otherProvidersHost(settings, { mediaHost, instanceHost })
  if (old === undefined || knowsExtraHosts(version)) return []
  return [
    `Mastodon ${version} can name one media host only: browsers refuse media from ${old} after the switch.`,
  ]
}

/** This run does not know what stood there before. */
function cutOff(path: string): string {
  return `${path} names R2 already, by hand or by a run that was cut off. If what follows fails, it stays so: to go back, set S3_ENABLED=false there (or put back the newest backup beside it), and restart Mastodon.`
}

function left(path: string, backup: string | undefined): string {
  const how = backup === undefined ? '' : ` What it was before: ${backup}.`
  return `${path} was changed by someone else meanwhile, so it was not put back.${how} Look at it, then restart Mastodon.`
}
