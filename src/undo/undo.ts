import type { Command } from '../commands.ts'
import { flow, type Run } from '../flow/flow.ts'
import { holdEnvFile } from '../flow/hold-env-file.ts'
import type { Step, World } from '../plan/step.ts'
import { replay } from '../settings/replay.ts'
import { type PreparedSetup, prepareSetup } from '../setup/prepare.ts'
import { token } from '../setup/token.ts'
import { undoBucket } from '../setup/undo-bucket.ts'
import { undoCors } from '../setup/undo-cors.ts'
import { undoEdge } from '../setup/undo-edge.ts'
import { undoLifecycle } from '../setup/undo-lifecycle.ts'
import { undoMediaDomain } from '../setup/undo-media-domain.ts'
import type { Undo } from '../setup/undoing.ts'
import { ownKeys, undoAccessKeys } from './access-keys.ts'
import { undoEnvFile } from './env-file.ts'
import { recallSetup } from './memory.ts'
import { undoPreparedFile } from './prepared-file.ts'
import { undoCatalog, undoSettings } from './settings.ts'
import { undoClosing } from './undo-closing.ts'
import { envTraces } from './undo-traces.ts'

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
    undoEdge(undo),
    undoBucket(undo),
  ]
}

export const undo: Command = {
  run: (host, argv) =>
    flow(host, argv, {
      name: 'undo',
      catalog: undoCatalog,
      accepts: undoSettings,
      async prepare(run) {
        const { envFile } = await recallSetup(run)
        await holdEnvFile(run, envFile, { lookOnly: false })
        const prepared = await prepareSetup(run, { lookOnly: true })
        const { world } = prepared
        const undo = await undoing(run, prepared)
        await preview(run, world, undo)
        const again = replay('undo', undoSettings, run.settings.entries())
        return {
          world,
          steps: undoSteps(undo),
          planTitle: 'Plan',
          shown: ['mediaHost', 'bucket', 'accountId', 'jurisdiction'],
          flagged: true,
          again,
          closing: (ended) => undoClosing({ ...ended, prepared, again }),
        }
      },
    }),
}

async function undoing(
  { settings, clock }: UndoRun,
  { world, remembered }: PreparedSetup,
): Promise<Undo> {
  const { cloudflare, setup } = world
  const isHere = remembered.storage === 'r2' && remembered.bucket === setup.at.bucket
  const inUse = isHere && remembered.switchedOn && (await cloudflare.hasObjects(setup.at)) !== false
  const ids = new Set((await ownKeys(world)).map(({ id }) => id))
  const { setAside } = await import('../services/mastodon/backups.ts')
  return {
    wishes: {
      detachDomain: settings.on('detachDomain'),
      deleteEmptyBucket: settings.on('deleteEmptyBucket'),
      evenIfInUse: settings.on('evenIfInUse'),
      dropEdgeRules: settings.on('dropEdgeRules'),
    },
    inUse,
    traces: () => envTraces(world, ids),
    removeFile: ({ realPath }) => setAside(realPath, clock.now()),
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
