import { prose, type Text, toType } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { overruled } from '../setup/env-file.ts'
import { knowsExtraHosts, withExtraHost } from '../setup/media-hosts.ts'
import { unreachedBy } from '../setup/reach.ts'
import { ledAlready } from './known-media.ts'
import { type OldPrefix, prefixName, type Redirecting } from './redirecting.ts'

export function keptId(prefix: OldPrefix): string {
  return `kept:${prefixName(prefix)}`
}

/** An old place that can be led on by nobody here: what the person has to see to. */
export function keptPlace(
  redirecting: Redirecting,
  prefix: OldPrefix,
  why: string,
): Step<'web' | 'connectS3' | 'place'> {
  const { mediaHost } = redirecting
  return {
    id: keptId(prefix),
    title: `Old place ${prefixName(prefix)}`,

    async look(at): Promise<Finding> {
      const status = await ledAlready(at, redirecting, prefix)
      if (status !== undefined) {
        return { is: 'ready', note: `leads to https://${mediaHost}/ with ${status} already` }
      }
      const note = `no rule can be made for it here (${why}): keep that host alive, or redirect it there`
      return { is: 'later', note, next: nextFor(prefix, mediaHost) }
    },
  }
}

function nextFor(prefix: OldPrefix, mediaHost: string): Text {
  const name = `https://${prefixName(prefix)}`
  if (prefix.served === 'provider') {
    return `Keep the media at ${prefix.host} readable for as long as other servers ask for ${name}...; what they ask for there is not led to https://${mediaHost}/.`
  }
  return prose`Keep ${prefix.host} alive, or redirect ${name}... to https://${mediaHost}/... where it is. If its web server is yours, this prints the block for it: ${toType('redirects', { via: 'nginx', oldAddress: [name] })}`
}

/**
 * Hosts that stay as they are remain named in Mastodon's pages, so that browsers go on taking media
 * from there.
 */
export function extraMediaHosts(hosts: readonly string[]): Step<'envWriter' | 'place'> {
  let written: Extract<Finding, { is: 'ready' }> | undefined
  return {
    id: 'extra-media-hosts',
    title: 'EXTRA_MEDIA_HOSTS',

    async look(at): Promise<Finding> {
      if (written) return written
      const names = hosts.join(', ')
      const { installation } = at.place
      const { settings, version, envFile } = installation
      const lines = linesFor(at, hosts)
      if (lines.get(NAME) === (settings.get(NAME)?.value ?? '')) {
        return { is: 'ready', note: `names ${names}` }
      }
      if (!knowsExtraHosts(version)) {
        return {
          is: 'later',
          note: `Mastodon ${version} does not know it (4.4 and later do): browsers may refuse media from ${names}`,
          next: '',
        }
      }
      const line = `${NAME}=${lines.get(NAME)}`
      const text = at.envWriter.edit(envFile.text, lines, [])
      const problem =
        overruled(installation, envFile, lines) ??
        (await unreachedBy(installation, at.envWriter, { file: envFile, text }, lines))
      if (problem) return { is: 'later', note: problem.what, next: problem.next }
      if (!envFile.writable) {
        const note = `${envFile.path} can't be written by you; without ${names} there, browsers may refuse media from it`
        return { is: 'later', note, next: `Put this line there, and restart Mastodon:\n  ${line}` }
      }
      const what = `write ${line} into ${envFile.path} (a backup is kept)`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    async change(at) {
      const { envWriter } = at
      const { envFile: file } = at.place.installation
      const text = envWriter.edit(file.text, linesFor(at, hosts), [])
      const { backup } = await envWriter.write(file, text)
      const note = `names ${hosts.join(', ')}, from Mastodon's next restart on`
      written = { is: 'ready', note }
      return {
        envWritten: {
          file: file.path,
          backup,
          changed: [NAME],
          diff: envWriter.diff(file.text, text),
        },
      }
    },
  }
}

const NAME = 'EXTRA_MEDIA_HOSTS'

function linesFor(
  { place }: Pick<World, 'place'>,
  hosts: readonly string[],
): ReadonlyMap<string, string> {
  const { settings } = place.installation
  const value = hosts.reduce(
    (so, host) => withExtraHost(new Map([[NAME, { value: so }]]), host),
    settings.get(NAME)?.value ?? '',
  )
  return new Map([[NAME, value]])
}
