import type { Check } from '../../plan/verdict.ts'
import type { HostAt } from './media-host.ts'

/** DNS of the media host: this machine's name server, else public ones. */
export const nameCheck: Check<keyof HostAt> = {
  id: 'public-name',
  about: 'public web',
  title: 'Name of the media host',
  cost: 'look',
  async look({ storage, web }) {
    const host = storage.mediaHost
    if (host === undefined) {
      return [
        {
          severity: 'fault',
          saw: 'S3_ALIAS_HOST names no host that could serve the media.',
          matters: "R2's S3 endpoint serves nobody without a key, so every image would be broken.",
          next: 'npx mastodon-r2 init',
        },
      ]
    }
    const [first = '', ...more] = await web.addresses(host)
    const rest = more.length === 0 ? '' : ` and ${more.length} more`
    return [{ severity: 'ok', saw: `${host} leads to ${first}${rest}` }]
  },
}
