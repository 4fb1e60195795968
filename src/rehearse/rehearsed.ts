import { prose, type Text, type ToType } from '../core/to-type.ts'
import { findMastodonHere } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import type { Host, StandIn } from '../host.ts'
import { refuseContradictions, type SetupCatalog } from '../settings/catalog.ts'
import { mediaHostFor, offerAll, startStandIn, tellRehearsal } from './rehearsal.ts'
import { setUpThere } from './set-up-there.ts'

/**
 * The run that `--sandbox` asks for: about a setup that `init` makes first, in a sandbox, with a
 * scratch copy of the env file; or about the one that the run before has left there. The same run
 * without `--sandbox`. Throws `settings-contradict` before anything is started.
 */
export async function rehearsed<R extends Run<SetupCatalog>>(run: R): Promise<R> {
  const { host, settings } = run
  if (!settings.on('sandbox')) return run
  refuseContradictions((name) => settings.source(name))
  const standIn = host.standIn ?? (await setUpStandIn(run))
  for (const name of ['accountId', 'mastodonDir', 'mediaDir'] as const) settings.forget(name)
  offerAll(settings, standIn.settings)
  if (settings.get('jurisdiction') === undefined) {
    settings.offer('jurisdiction', standIn.jurisdiction, 'sandbox')
  }
  return { ...run, host: hostAt(host, standIn) }
}

/** This machine with the stand-in in it: no proxy leads there, and no notes of real runs count. */
export function hostAt(host: Host, standIn: StandIn): Host {
  const { folder } = standIn
  const own = Object.entries(host.environment).filter(([name]) => !/_proxy$/i.test(name))
  const environment = { ...Object.fromEntries(own), XDG_STATE_HOME: folder }
  return { ...host, cwd: folder, environment, standIn }
}

/** The end of what a run says that is a rehearsal, with the line that means it. */
export function rehearsalOver(
  { isKept }: Pick<StandIn, 'isKept'>,
  forReal: ToType,
): { readonly title: string; readonly lines: readonly Text[] }[] {
  if (isKept) return []
  return [
    {
      title: 'That was a rehearsal',
      lines: [
        'Nothing at Cloudflare and nothing on this machine was changed; the scratch copy and its keys are gone. For real:',
        prose`  ${forReal}`,
      ],
    },
  ]
}

async function setUpStandIn(run: Run<SetupCatalog>): Promise<StandIn> {
  const { host, ui, settings } = run
  tellRehearsal(ui)
  const found = await findMastodonHere(run)
  const { installation, standIn } = await startStandIn(run, found)
  const wished = (['bucket', 'jurisdiction'] as const).flatMap((name) => {
    const value = settings.get(name)
    return value === undefined ? [] : [settings.flag(name), value]
  })
  const done = ui.busy('Setting up there first, as init does')
  const mediaHost = settings.get('mediaHost') ?? mediaHostFor(installation)
  await setUpThere(host, {
    there: { ...standIn.settings, caFile: standIn.ca.file },
    folder: standIn.folder,
    args: [
      ...['--mastodon-env', installation.envFile.path, '--existing-media', 'switch'],
      ...['--media-host', mediaHost, ...wished],
    ],
  }).finally(done)
  ui.say(`Set up there first, as init does it, with ${mediaHost}.`)
  return standIn
}
