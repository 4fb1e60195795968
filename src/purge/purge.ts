import { counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose, type ToType } from '../core/to-type.ts'
import { flow } from '../flow/flow.ts'
import type { Ended } from '../flow/run.ts'
import type { Command } from '../host.ts'
import type { PlaceWorld } from '../plan/step.ts'
import { replay } from '../settings/replay.ts'
import type { Closing } from '../ui/port.ts'
import { type Places, readAddress, readAddresses, type Wanted } from './addresses.ts'
import { deleteObjects } from './delete-objects.ts'
import { findCaches, findHere, type PurgeRun, placesOf } from './places.ts'
import { type Purging, purgeCache } from './purge-cache.ts'
import { purgeCatalog, purgeFlags } from './settings.ts'
import { shownMedia } from './shown-media.ts'
import { looksBack, prepareLookback } from './since.ts'
import { sizesOf } from './sizes.ts'
import type { Targets } from './targets.ts'

/** Gone means gone: out of Cloudflare's cache, with `--and-delete` out of the bucket, and proven. */
export const purge: Command = {
  run: (host, argv) =>
    flow(host, argv, {
      name: 'purge',
      catalog: purgeCatalog,
      accepts: purgeFlags,
      async prepare(run) {
        if (looksBack(run)) return prepareLookback(run)
        const { world, targets } = await prepare(run)
        const deleted = run.settings.on('andDelete')
        const purging = purgeCache(targets, { deleted })
        const again = replay('purge', purgeFlags, run.settings.entries())
        return {
          world,
          steps: [...(deleted ? [deleteObjects(targets, purging.purge)] : []), purging.step],
          planTitle: 'Plan',
          shown: ['mediaHost', 'bucket'],
          // What is deleted is in the plan only because of --and-delete.
          ...(deleted && { flagged: true as const }),
          again,
          details: () => ({ purge: { proofs: [...purging.proofs] } }),
          closing: (ended) => closing({ ...ended, again, targets, purging, deleted }),
        }
      },
    }),
}

async function prepare(run: PurgeRun): Promise<{ world: PlaceWorld; targets: Targets }> {
  const { settings, ui } = run
  if (settings.get('address') === undefined) await askAddress(run)
  const here = await findHere(run)
  const places = await placesOf(here, ui)
  const wanted = readAddresses(settings.need('address'), places)
  const { world, ...served } = await findCaches(run, here, places)
  const found = await mediaOf(world, wanted, places)
  const sizes = await sizesOf(world.connectS3(here.target.key), [
    ...new Set(found.map(({ key }) => key)),
  ])
  const queries = found.filter(({ query }) => query !== '')
  return { world, targets: { ...sizes, ...served, queries } }
}

async function askAddress({ settings, ui }: PurgeRun): Promise<void> {
  const missing = ui.canAsk ? undefined : settings.missing(['address'])
  if (missing) throw missing
  const typed = await ui.ask({
    message: 'What should go?',
    hint: 'The address of a file, a post or an account, such as /@somebody/1',
    fault: (text) => settings.fault('address', [text]),
  })
  settings.offer('address', [typed], 'you')
}

type Media = Extract<Wanted, { kind: 'media' }>

/** Posts and accounts become the media that Mastodon shows of them. Problem `nothing-to-purge`. */
async function mediaOf(
  { web }: Pick<PlaceWorld, 'web'>,
  wanted: readonly Wanted[],
  places: Places,
): Promise<Media[]> {
  const found: Media[] = []
  for (const one of wanted) {
    if (one.kind === 'media') {
      found.push(one)
      continue
    }
    const shown = await shownMedia(web, places.instanceHosts[0], one)
    const own = shown.flatMap((address) => {
      const media = readAddress(address, places)
      return typeof media !== 'string' && media.kind === 'media' ? [media] : []
    })
    if (own.length === 0) throw nothingStored(one.address, shown)
    found.push(...own)
  }
  return found
}

interface PurgeEnded extends Ended {
  readonly again: ToType
  readonly targets: Targets
  readonly purging: Purging
  readonly deleted: boolean
}

/** The last words of `purge`: what each address answered, and what stays for the person. */
function closing({ report, again, targets, purging, deleted }: PurgeEnded): Closing {
  const carryOut = { title: 'To carry it out', lines: [prose`  ${again}`] }
  if (report.dryRun) {
    return { headline: 'That is the plan. Nothing was changed.', sections: [carryOut] }
  }
  if (report.problem) {
    const isBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
    const headline = isBegun ? 'Not finished. It is safe to run it again.' : 'Nothing was changed.'
    return { headline, sections: [{ title: 'Again', lines: [prose`  ${again}`] }] }
  }
  const files = counted(targets.present.length + targets.absent.length, 'file')
  const proven = purging.proofs.map(({ url, status, cache }) => {
    return `  ${status} ${cache ?? 'no cf-cache-status'}  ${url}`
  })
  const wasThere = targets.present.length > 0
  const stays = deleted
    ? 'Mastodon still knows of it: delete the post or the picture there, too, so that nothing shows an empty frame, and that other servers are told.'
    : 'It is still in the bucket: whoever has the address gets it, and Cloudflare keeps it anew. --and-delete removes it from there.'
  return {
    headline:
      deleted && wasThere
        ? `Gone: ${files}, from the bucket and from Cloudflare's cache.`
        : `Purged: ${files}, from Cloudflare's cache${wasThere ? '' : '; none of it is in the bucket'}.`,
    sections: [
      { title: 'What each address answered, from here', lines: proven },
      {
        title: 'What stays',
        lines: [
          ...(wasThere ? [stays] : []),
          'Browsers and other servers keep copies of their own, which nobody can purge from here.',
        ],
      },
    ],
  }
}

function nothingStored(address: string, shown: readonly string[]): Problem {
  const why =
    shown.length === 0
      ? 'It has no media.'
      : `Its media is not stored here, but at:\n${shown.map((one) => `  ${one}`).join('\n')}`
  return new Problem({
    code: 'nothing-to-purge',
    what: `There is nothing to purge of ${address}.`,
    why,
    next: 'Leave it out, or give the addresses of media themselves.',
    exit: 2,
  })
}
