import { prose, type ToType, toType } from '../core/to-type.ts'
import { flow } from '../flow/flow.ts'
import { holdEnvFile } from '../flow/mastodon-here.ts'
import type { Ended, Run } from '../flow/run.ts'
import type { Command, Host, StandIn } from '../host.ts'
import type { Step, World } from '../plan/step.ts'
import { rehearsalOver, rehearsed } from '../rehearse/rehearsed.ts'
import { replay } from '../settings/replay.ts'
import { undoBucket, undoLifecycle } from '../setup/bucket.ts'
import { restart, restartsIn, unfinished } from '../setup/closing.ts'
import { undoCors } from '../setup/cors.ts'
import { undoEdgeRules } from '../setup/edge.ts'
import { firstLook } from '../setup/first-look.ts'
import { undoMediaDomain } from '../setup/media-domain.ts'
import { type PreparedSetup, prepareSetup } from '../setup/prepare.ts'
import { token } from '../setup/token.ts'
import { type Undo, wishesIn } from '../setup/undoing.ts'
import type { Closing } from '../ui/port.ts'
import { ownKeys, undoAccessKeys } from './access-keys.ts'
import { undoEnvFile, undoPreparedFile } from './env-file.ts'
import { envTraces, olderSettings, recallSetup } from './memory.ts'
import { redirectsOfHost } from './redirected.ts'
import { undoCatalog, undoSettings } from './settings.ts'

interface UndoEnded extends Ended {
  readonly prepared: PreparedSetup
  readonly again: ToType
  readonly host?: Pick<Host, 'standIn'>
}

type Section = Closing['sections'][number]

/** The last words of `undo`: what is as before, what stays and why, and what is left to do. */
export function undoClosing(ended: UndoEnded): Closing {
  const { report, host } = ended
  if (host?.standIn) return rehearsedClosing(ended, host.standIn)
  if (report.problem || report.dryRun) {
    const headline = report.problem ? unfinished(ended) : 'That is the plan. Nothing was changed.'
    return { headline, sections: [...left(ended), goOn(ended)] }
  }
  const sections = [...envSection(ended), ...left(ended)]
  return { headline: headlineOf(ended), sections, next: restartsIn(sections) }
}

/** No Mastodon reads the scratch copy, and its backups go with it. */
function rehearsedClosing(ended: UndoEnded, standIn: StandIn): Closing {
  const { report } = ended
  if (report.problem) {
    return { headline: 'This ends here; nothing of yours was changed.', sections: [] }
  }
  const headline = report.dryRun ? 'That is the plan. Nothing was changed.' : headlineOf(ended)
  // Who is asked again in a moment needs no line to type.
  const [stays = [], line = []] = left(ended).map((section) => [section])
  const more = standIn.isKept ? [] : line
  return { headline, sections: [...stays, ...more, ...rehearsalOver(standIn, toType('undo'))] }
}

function headlineOf({ report }: UndoEnded): string {
  const some = (wanted: string) => report.steps.some(({ status }) => status === wanted)
  if (some('changed'))
    return some('skipped') ? 'Taken back, but for what stays.' : 'All taken back.'
  return some('skipped')
    ? 'Nothing was changed; what is left stays.'
    : 'Nothing is left to take back.'
}

function goOn({ again }: UndoEnded): Section {
  return { title: 'To go on from here', lines: [prose`  ${again}`] }
}

function envSection({ facts, prepared }: UndoEnded): Section[] {
  const written = facts.envWritten
  if (!written) return []
  const changed: Section = {
    title: `${written.file} as it was until now`,
    lines: [
      `  ${written.backup}`,
      'Delete it and the other backups beside it when you no longer need them: they hold the passwords of Mastodon.',
    ],
  }
  if (!prepared.remembered.switchedOn) return [changed]
  const { title, lines } = restart(prepared.world.setup)
  return [changed, { title: `${title}; until then uploads may fail`, lines }]
}

/** What this run left, with the command that takes it, too. */
function left({ report, again }: UndoEnded): Section[] {
  const staying = report.steps.filter(({ status, note }) => {
    return status === 'skipped' && note.startsWith('stays: ')
  })
  if (staying.length === 0) return []
  const wishes = wishesIn(staying.map(({ note }) => note))
  const list = staying.map(({ title, note }) => `${title}: ${note.replace('stays: ', '')}`)
  const command = prose`  ${again.with(Object.fromEntries(wishes.map((name) => [name, true])))}`
  const more: Section[] =
    wishes.length === 0 ? [] : [{ title: 'To take that back, too', lines: [command] }]
  return [{ title: 'What stays', lines: list }, ...more]
}

type UndoRun = Run<typeof undoCatalog>

/** The setup from bottom to top: nothing is removed that something still standing points to. */
function undoSteps(undo: Undo): readonly Step[] {
  return [
    token,
    undoEnvFile(undo),
    undoPreparedFile(undo),
    undoAccessKeys(undo),
    undoCors(undo),
    undoLifecycle,
    undoMediaDomain(undo),
    undoEdgeRules(undo),
    undoBucket(undo),
  ]
}

export const undo: Command = {
  run: (host, argv) =>
    flow(host, argv, {
      name: 'undo',
      catalog: undoCatalog,
      accepts: undoSettings,
      async prepare(given) {
        const run = await rehearsed(given)
        const { envFile } = await recallSetup(run)
        await holdEnvFile(run, envFile, { lookOnly: false })
        const prepared = await prepareSetup(run, await firstLook(run, { lookOnly: true }), {
          lookOnly: true,
        })
        const { world } = prepared
        const undo = await undoing(run, prepared)
        await preview(run, world, undo)
        const again = replay('undo', undoSettings, run.settings.entries())
        return {
          world,
          steps: undoSteps(undo),
          known: world.setup.token,
          planTitle: run.host.standIn ? 'Plan (rehearsal)' : 'Plan',
          shown: ['mediaHost', 'bucket', 'accountId', 'jurisdiction'],
          flagged: true,
          again,
          closing: (ended) => undoClosing({ ...ended, prepared, again, host: run.host }),
        }
      },
    }),
}

async function undoing(
  { host, settings, clock }: UndoRun,
  { world, remembered }: PreparedSetup,
): Promise<Undo> {
  const { cloudflare, setup } = world
  const isHere = remembered.storage === 'r2' && remembered.bucket === setup.at.bucket
  const holds = isHere && remembered.switchedOn && (await cloudflare.hasObjects(setup.at))
  const inUse = holds !== false && holds !== 'tests'
  const ids = new Set((await ownKeys(world)).map(({ id }) => id))
  const { setAside } = await import('../services/mastodon/env-write.ts')
  return {
    wishes: {
      detachDomain: settings.on('detachDomain'),
      deleteEmptyBucket: settings.on('deleteEmptyBucket'),
      evenIfInUse: settings.on('evenIfInUse'),
      dropEdgeRules: settings.on('dropEdgeRules'),
    },
    inUse,
    traces: () => envTraces(world, ids),
    // In a rehearsal no address but those of the stand-in is asked.
    redirects: async () =>
      host.standIn
        ? { to: [], from: [], unseen: [] }
        : redirectsOfHost(world, await olderSettings(setup.installation)),
    removeFile: (file) => setAside(file, clock.now()),
  }
}

/** What is about to change in the env file, before anybody agrees to it; secrets masked. */
async function preview({ ui }: UndoRun, { envWriter }: World, undo: Undo): Promise<void> {
  for (const { role, file, restoration } of await undo.traces()) {
    if (role !== 'main' || (restoration.is !== 'write' && restoration.is !== 'remove')) continue
    const text = restoration.is === 'write' ? restoration.text : ''
    const diff = envWriter.diff(file.text, text).filter((line) => !/^[-+]\s*$/.test(line))
    ui.note(`Changes in ${file.path}`, diff)
  }
}
