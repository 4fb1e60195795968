import type { Step, World } from '../plan/step.ts'
import type { Undo } from '../plan/undo.ts'
import { replay } from '../settings/replay.ts'
import { undoCatalog, undoSettings } from '../settings/undo-catalog.ts'
import { token } from '../steps/token.ts'
import { ownKeys, undoAccessKeys } from '../steps/undo/access-keys.ts'
import { undoBucket } from '../steps/undo/bucket.ts'
import { undoCors } from '../steps/undo/cors.ts'
import { undoEdge } from '../steps/undo/edge.ts'
import { undoEnvFile } from '../steps/undo/env-file.ts'
import { undoLifecycle } from '../steps/undo/lifecycle.ts'
import { undoMediaDomain } from '../steps/undo/media-domain.ts'
import { undoPreparedFile } from '../steps/undo/prepared-file.ts'
import { flow, type Run } from './flow.ts'
import { holdEnvFile } from './hold-env-file.ts'
import type { Command } from './index.ts'
import { type PreparedSetup, prepareSetup } from './prepare-setup.ts'
import { undoClosing } from './undo-closing.ts'
import { recallSetup } from './undo-memory.ts'
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
