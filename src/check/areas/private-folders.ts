import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import type { Check, CheckWorld } from '../../plan/verdict.ts'
import { type HostAt, type MediaHost, notAsked } from './visit.ts'

type Find = (at: HostAt) => Promise<MediaHost>
type At = HostAt & Pick<CheckWorld, 'clock'>

/** Archives and old imports lie in the same public bucket, under names nobody can guess. */
const PRIVATE = ['backups/dumps', 'imports/data']

/** Mastodon hands archives out by links to the S3 endpoint, so the media host need not serve them. */
export function privateFoldersCheck(find: Find): Check<keyof At> {
  return {
    id: 'public-private-folders',
    about: 'public web',
    title: 'Private folders',
    cost: 'look',
    async look(at) {
      const found = await find(at)
      if (found.is !== 'there') return notAsked(found)
      const reached = await Promise.all(PRIVATE.map((path) => isServed(at, found.host, path)))
      if (reached.includes(undefined)) {
        return [{ severity: 'skipped', saw: 'not seen: a request failed' }]
      }
      const open = PRIVATE.filter((_, index) => reached[index]).map(topOf)
      if (open.length === 0) {
        return [{ severity: 'ok', saw: '/backups/ and /imports/ are blocked' }]
      }
      return [
        {
          severity: 'note',
          saw: `The media host would serve ${open.join(' and ')}.`,
          matters:
            "They hold archives of your users. The names can't be guessed; a link that leaks is enough.",
          next: prose`${toType('init', { edge: 'private-folders' })} (downloads go on working: they do not use the media host)`,
        },
      ]
    },
  }
}

/** Of a name that does not exist: 404 means that the request reached the bucket. */
async function isServed({ web, clock }: At, host: string, path: string) {
  try {
    const { status } = await web.fetch(`https://${host}/${path}/${clock.randomHex(32)}.zip`)
    return status === 404 || status < 300
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function topOf(path: string): string {
  return `/${path.split('/')[0]}/`
}
