import type { Check, CheckWorld } from '../../plan/check.ts'
import { type HostAt, type MediaHost, notAsked } from './media-host.ts'

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
      const open = (await Promise.all(PRIVATE.map((folder) => isOpen(at, found.host, folder))))
        .map((isOpen, index) => (isOpen ? `/${PRIVATE[index]?.split('/')[0]}/` : ''))
        .filter((folder) => folder !== '')
      if (open.length === 0) {
        return [{ severity: 'ok', saw: '/backups/ and /imports/ are blocked' }]
      }
      return [
        {
          severity: 'note',
          saw: `The media host would serve ${open.join(' and ')}.`,
          matters:
            "They hold archives of your users. The names can't be guessed; a link that leaks is enough.",
          next: 'Add a WAF custom rule to the zone that blocks these paths on the media host. Downloads go on working: they do not use it.',
        },
      ]
    },
  }
}

/** Of a name that does not exist: 404 means that the request reached the bucket. */
async function isOpen({ web, clock }: At, host: string, folder: string): Promise<boolean> {
  const { status } = await web.fetch(`https://${host}/${folder}/${clock.randomHex(32)}.zip`)
  return status === 404 || status < 300
}
