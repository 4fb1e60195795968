import { ANNOUNCED_DAYS } from '../announce/notes.ts'
import { Problem } from '../core/problem.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import { leftResting, switchedByHand } from '../moving/quiet.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { EXTRA_HOSTS, isNamed, knowsExtraHosts } from '../setup/media-hosts.ts'
import type { NewProvider } from '../setup/new-provider.ts'
import type { Switching } from './env-switch.ts'
import type { Leaving } from './leaving.ts'

/** What has to be true before Mastodon is switched. Looks only. */
export function readyToSwitch(
  leaving: Leaving,
  { services }: Switching,
  provider?: NewProvider,
): Step<'place' | 'web'> {
  return {
    id: 'ready-to-switch',
    title: 'Before the switch',

    async look(at): Promise<Finding> {
      if (services.commands === undefined) return { is: 'blocked', problem: switchedByHand() }
      const problem = provider ? undefined : await notServed(leaving, at)
      if (problem) return { is: 'blocked', problem }
      // What could not be had later is asked for before anything rests.
      await Promise.all([leaving.rclone.version(), leaving.hidden()])
      const resting = await leftResting(services)
      if (provider) {
        const note = `media will be named at ${provider.mediaUrl}`
        return { is: 'ready', note, warnings: [...unannounced(leaving, provider), ...resting] }
      }
      const note = 'the web server serves the media folder below /system/'
      return { is: 'ready', note, warnings: resting }
    },
  }
}

/** Pages that a browser has open allow media of the hosts that they were sent with. */
function unannounced({ installation, isSwitched }: Leaving, { mediaUrl }: NewProvider): Text[] {
  const { origin } = new URL(mediaUrl)
  const { settings, version, envFile } = installation
  if (isSwitched || isNamed(settings, origin)) return []
  const may = `for up to ${ANNOUNCED_DAYS} days after the switch browsers of people who are logged in may refuse media from it, until they load the page anew`
  if (!knowsExtraHosts(version))
    return [
      `Mastodon ${version} can name one media host only (4.4 and later can name more), so ${origin} can not be announced: ${may}.`,
    ]
  return [
    `${origin} was not announced: ${may}. To announce it first, add ${origin} to ${EXTRA_HOSTS} in ${envFile.path}, and restart Mastodon.`,
  ]
}

const SAMPLED = 2_000

/** A file that both sides have comes from the disk, by the address that posts will name. */
async function notServed(
  leaving: Leaving,
  { place, web }: Pick<World, 'place' | 'web'>,
): Promise<Problem | undefined> {
  const { there, bucket, signal } = leaving
  const { webDomain, localDomain } = place.installation
  const host = webDomain ?? localDomain
  if (host === undefined) return unserved(leaving, 'The host of the instance is not known')
  const nothing = 'Nothing of the bucket is on the disk yet'
  let looked = 0
  for await (const files of there.source.files({ signal, few: true })) {
    for (const { key, size, mode = 0o644 } of files) {
      looked += 1
      if (looked > SAMPLED) return unserved(leaving, nothing)
      const isPlain = /^[\w./-]+$/.test(key) && (mode & 0o004) !== 0 && size < 5_000_000
      if (!isPlain || (await bucket().head(key)) === undefined) continue
      const url = `https://${host}/system/${key}`
      const { status, body, header } = await web.fetch(url)
      if (status === 200 && body.length === size) return undefined
      const [to] = header('location')
      return unserved(
        leaving,
        to === undefined ? `${url} gave status ${status}` : `${url} leads to ${to}`,
      )
    }
  }
  return unserved(leaving, nothing)
}

function unserved({ isSwitched, lineFor }: Leaving, why: string): Problem {
  const shown = isSwitched
    ? 'As its settings name the disk already, posts are shown without their pictures'
    : 'Switched now, posts would be shown without their pictures'
  return new Problem({
    code: 'disk-not-served',
    what: 'Visitors would not get the media from the disk.',
    why: `${why}. ${shown}.`,
    next: prose`Redirects of /system/ have to go first: ${toType('redirects', { remove: true })}\nThen let the web server serve the media folder there, as Mastodon's own nginx.conf does, and copy:\n  ${lineFor('copy')}`,
  })
}
