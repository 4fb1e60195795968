import { type Check, troubleOf } from '../../plan/verdict.ts'
import { notListing } from '../../setup/public-read.ts'
import { type HostAt, type MediaHost, notAsked } from './media-host.ts'

type Find = (at: HostAt) => Promise<MediaHost>

/** The media host answers, and does not list what it holds. */
export function topCheck(find: Find): Check<keyof HostAt> {
  return {
    id: 'public-listing',
    about: 'public web',
    title: 'Top of the media host',
    cost: 'look',
    async look(at) {
      const found = await find(at)
      if (found.is === 'unreachable' && found.certificate && found.problem) {
        return [troubleOf(found.problem)]
      }
      if (found.is !== 'there') return notAsked(found)
      const { top } = found
      notListing(found.host, top)
      if (top.status < 500)
        return [{ severity: 'ok', saw: 'it answers, and nobody can list the files' }]
      return [
        {
          severity: 'fault',
          saw: `https://${found.host}/ answers with status ${top.status}.`,
          matters: 'The media host is in trouble: images and videos do not load.',
          next: 'Look at the custom domain of the bucket at https://dash.cloudflare.com/?to=/:account/r2, and at https://www.cloudflarestatus.com.',
        },
      ]
    },
  }
}
