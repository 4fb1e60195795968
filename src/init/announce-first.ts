import { announce } from '../announce/announce.ts'
import { announcementNotes } from '../announce/notes.ts'
import { Problem } from '../core/problem.ts'
import type { Remembered } from '../flow/mastodon-here.ts'
import { findMastodonHere } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { servicesOf } from '../flow/world.ts'
import type { Place, Setup, Step, World } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import { contradiction, firstFlag, noEffect } from '../settings/no-effect.ts'
import { bootCost, linesOf } from '../setup/restart.ts'

/**
 * The announcement as a step of `init`. A server that is on R2 already keeps its env file but for
 * that; else the block is written first, switched off. Problem: `nothing-to-announce`.
 */
export async function announceFirst(
  run: Run<SetupCatalog>,
  { setup }: Pick<World, 'setup'>,
  { storage, switchedOn, mediaHost }: Remembered,
): Promise<{ readonly step: Step; readonly isHostChange: boolean }> {
  const isHostChange = storage === 'r2' && switchedOn
  if (isHostChange && mediaHost === setup.mediaHost) throw nothingToAnnounce(setup)
  if (run.settings.get('existingMedia') === 'switch')
    throw contradiction(
      '--announce',
      '--existing-media switch',
      'what is announced is switched a week later',
    )
  const ofKey = firstFlag(run.settings, ['allowIp', 'expires', 'tokenKind'])
  if (isHostChange && ofKey !== undefined) throw noKeyNow(ofKey)
  const { installation } = setup
  const { accountId, bucket } = setup.at
  const to = { mediaHost: setup.mediaHost, endpoint: setup.s3Endpoint, bucket, accountId }
  const checkpoint = await announcementNotes(run, installation, to, { switchedOn: isHostChange })
  const { commands } = await servicesOf(run, installation)
  const tell = (line: string | undefined) => run.ui.progress(line)
  const step = announce({ checkpoint, tell }, { reload: commands?.reloadWeb })
  if (isHostChange) return { step, isHostChange }
  const reload =
    commands === undefined
      ? ''
      : `; run: ${linesOf(commands.reloadWeb)}${bootCost(commands.reloadWeb)}`
  const will = `let Mastodon's pages name ${setup.mediaHost}${reload}`
  return { step: afterEnvFile(step, will, () => findMastodonHere(run)), isHostChange }
}

type Needs = 'web' | 'envWriter' | 'runner' | 'clock' | 'place'

/** Once the block is written the env file is another one, so Mastodon is found anew. */
function afterEnvFile(
  step: Step<Needs>,
  will: string,
  find: () => Promise<Installation>,
): Step<Needs | 'facts'> {
  const renewed = async <At extends { readonly place: Place }>(at: At): Promise<At> => {
    return { ...at, place: { ...at.place, installation: await find() } }
  }
  return {
    id: step.id,
    title: step.title,
    async look(at) {
      if (!at.facts.envWritten) return { is: 'waiting', on: 'envWritten', will }
      return step.look(await renewed(at))
    },
    change: async (at) => (await step.change?.(await renewed(at))) ?? {},
  }
}

function noKeyNow(flag: string): Problem {
  const why = 'Mastodon goes on with the key it has; a host that is announced needs no other one.'
  return noEffect(`${flag} with --announce`, why)
}

function nothingToAnnounce({ mediaHost }: Setup): Problem {
  return new Problem({
    code: 'nothing-to-announce',
    what: `Mastodon uses ${mediaHost} already, so there is nothing to announce.`,
    why: '--announce is for a media host that comes into use later.',
    next: 'Name the new one with --media-host, or leave --announce out.',
    exit: 2,
  })
}
