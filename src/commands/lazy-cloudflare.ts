import type { ApiCall, CloudflarePort } from '../services/cloudflare/port.ts'
import type { catalog } from '../settings/catalog.ts'
import type { Catalog } from '../settings/define.ts'
import { chooseToken } from './choose-token.ts'
import { connectTo } from './connect.ts'
import type { Run } from './flow.ts'

type Asked = Pick<typeof catalog, 'apiToken' | 'accountId' | 'cloudflareApiUrl'> & Catalog

/**
 * Cloudflare for a command that seldom needs it: the token is asked for with the first call, and
 * whoever only copies with rclone never gives one.
 */
export function lazyCloudflare(
  { ui, settings, clock }: Pick<Run<Asked>, 'ui' | 'settings' | 'clock'>,
  onCall: ((call: ApiCall) => void) | undefined,
): CloudflarePort {
  let connecting: Promise<CloudflarePort> | undefined
  const connect = async () => {
    const problem = ui.canAsk ? undefined : settings.missing(['apiToken'])
    if (problem) throw problem
    const baseUrl = settings.need('cloudflareApiUrl') as string
    const { cloudflare } = await chooseToken(settings, ui, (token) =>
      connectTo({ token, baseUrl, ui, onCall, sleep: clock.sleepOrTidy }),
    )
    return cloudflare
  }
  const connected = () => {
    connecting ??= connect()
    return connecting
  }
  const lazy = <Port extends object>(find: (port: CloudflarePort) => Port) => {
    return (name: string | symbol) => {
      return async (...args: unknown[]) => {
        const port = find(await connected())
        const method = Reflect.get(port, name) as (...given: unknown[]) => unknown
        return method.apply(port, args)
      }
    }
  }
  const own = lazy((port) => port)
  const ofSlurper = lazy((port) => port.slurper)
  const slurper = new Proxy({} as CloudflarePort['slurper'], { get: (_, name) => ofSlurper(name) })
  return new Proxy({} as CloudflarePort, {
    get: (_, name) => (name === 'slurper' ? slurper : own(name)),
  })
}
