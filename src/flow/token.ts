import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import type { BootstrapToken, CloudflarePort } from '../services/cloudflare/port.ts'
import type { EdgeName } from '../settings/edge-names.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'
import { inactiveToken } from '../setup/token.ts'
import type { Ui } from '../ui/port.ts'
import { tokenLinks, tokenPermissions } from './token-links.ts'

export interface TokenChoice {
  readonly cloudflare: CloudflarePort
  readonly token: BootstrapToken
}

/** The bootstrap token, known to Cloudflare; a person may try again until it is. */
export async function chooseToken(
  settings: Settings<Pick<SetupCatalog, 'apiToken' | 'accountId'> & Catalog>,
  ui: Ui,
  connect: (token: Secret) => Promise<CloudflarePort>,
): Promise<TokenChoice> {
  for (;;) {
    const given = settings.get('apiToken') as Secret | undefined
    const secret = given ?? (await askToken(settings, ui))
    const done = ui.busy('Asking Cloudflare about the token')
    try {
      const cloudflare = await connect(secret)
      const token = await identify(cloudflare, settings.get('accountId') as string | undefined)
      if (token.status !== 'active') throw inactiveToken(token.status)
      return { cloudflare, token }
    } catch (error) {
      if (!(error instanceof Problem) || given !== undefined || !ui.canAsk) throw error
      done()
      ui.warn(`${error.what} ${error.why} ${error.next}`)
      settings.forget('apiToken')
    } finally {
      done()
    }
  }
}

/** A wrong account id makes a good token look bad; the token is then known without it. */
async function identify(cloudflare: CloudflarePort, accountId: string | undefined) {
  try {
    return await cloudflare.identifyToken(accountId)
  } catch (error) {
    if (!(error instanceof Problem) || accountId === undefined) throw error
    return await cloudflare.identifyToken(undefined).catch(() => {
      throw error
    })
  }
}

async function askToken(settings: Settings<Catalog>, ui: Ui): Promise<Secret> {
  const edge = (settings.get('edge') ?? []) as readonly EdgeName[]
  ui.note('An API token of Cloudflare is needed, for this setup only', [
    'Open one of these; the permissions are filled in:',
    '',
    ...tokenLinks(edge).flatMap(({ label, url }) => [`${label}:`, `  ${url}`]),
    '',
    edge.length === 0
      ? 'If they are not filled in, choose them by hand:'
      : 'All of these have to be there; choose by hand what is not filled in:',
    ...tokenPermissions(edge).map((line) => `  ${line}`),
    '',
    'Let it end soon (TTL: one day), and delete it when the setup is done.',
    'It is used while this runs, and is never stored.',
  ])
  const typed = await ui.ask({
    message: 'Paste the token here',
    masked: true,
    fault: (text) => settings.fault('apiToken', text),
  })
  settings.offer('apiToken', typed, 'you')
  return settings.get('apiToken') as Secret
}
