import type { ApiCall, CloudflarePort } from '../services/cloudflare/port.ts'
import type { catalog } from '../settings/catalog.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Run } from './flow.ts'
import { lazyPort, once } from './lazy-port.ts'
import { chooseToken } from './token.ts'
import { connectTo } from './world.ts'

type Asked = Pick<typeof catalog, 'apiToken' | 'accountId' | 'cloudflareApiUrl'> & Catalog

/**
 * Cloudflare for a command that seldom needs it: the token is asked for with the first call, and
 * whoever only copies with rclone never gives one.
 */
export function lazyCloudflare(
  { ui, settings, clock }: Pick<Run<Asked>, 'ui' | 'settings' | 'clock'>,
  onCall: ((call: ApiCall) => void) | undefined,
): CloudflarePort {
  const connected = once(async () => {
    const problem = ui.canAsk ? undefined : settings.missing(['apiToken'])
    if (problem) throw problem
    const baseUrl = settings.need('cloudflareApiUrl') as string
    const { cloudflare } = await chooseToken(settings, ui, (token) =>
      connectTo({ token, baseUrl, ui, onCall, sleep: clock.sleepOrTidy }),
    )
    return cloudflare
  })
  const slurper = lazyPort(async () => (await connected()).slurper)
  return lazyPort(connected, { slurper })
}
