import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import { prose, type Text } from '../core/to-type.ts'
import {
  type Account,
  type BootstrapToken,
  type CloudflarePort,
  permissionNames,
  type RulePermission,
} from '../services/cloudflare/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import { type EdgeName, edgeNames } from '../settings/names.ts'
import { noEffect } from '../settings/no-effect.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Ui } from '../ui/port.ts'

type Key = readonly [key: string, type: string]

/**
 * What each extra needs; `key` pre-fills it where Cloudflare's table of template keys names one. What
 * it does not name is added by hand.
 */
const extras: Record<EdgeName, { readonly permission: RulePermission; readonly key?: string }> = {
  'security-headers': { permission: 'response-headers' },
  'cache-everything': { permission: 'cache-rules' },
  'private-folders': { permission: 'custom-rules' },
  'tiered-cache': { permission: 'zone-settings', key: 'zone_settings' },
}

/**
 * Deep links that pre-fill a token (Cloudflare docs, fundamentals/api/how-to/
 * account-owned-token-template). The keys were renamed before, so the plain list goes beside them. What
 * a query may hold as it is (RFC 3986) is not escaped: the link is read and copied by people.
 */
export function tokenLinks(edge: readonly EdgeName[] = []): { label: string; url: string }[] {
  const wished = edge.flatMap((name): Key[] => {
    const { key } = extras[name]
    return key === undefined ? [] : [[key, 'edit']]
  })
  const core: Key[] = [['workers_r2', 'edit'], ['zone', 'read'], ['dns', 'read'], ...wished]
  const account: Key[] = [['account_api_tokens', 'edit'], ...core]
  const user: Key[] = [['account_api_tokens', 'edit'], ['account_settings', 'read'], ...core]
  return [
    {
      label: 'Owned by the account',
      url: accountLink(account, 'mastodon-r2 setup'),
    },
    {
      label: 'Owned by you',
      url: userLink(user, 'mastodon-r2 setup'),
    },
  ]
}

/** The link to a token that the account owns, with these permissions and no others. */
export function accountLink(keys: readonly Key[], name: string): string {
  return `https://dash.cloudflare.com/?to=/:account/api-tokens&permissionGroupKeys=${keysOf(keys)}&name=${encodeURIComponent(name)}`
}

function userLink(keys: readonly Key[], name: string): string {
  return `https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys=${keysOf(keys)}&accountId=*&zoneId=all&name=${encodeURIComponent(name)}`
}

function keysOf(keys: readonly Key[]): string {
  return encodeURIComponent(JSON.stringify(keys.map(([key, type]) => ({ key, type }))))
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
}

/** The same by hand, as the dashboard names them. */
export function tokenPermissions(edge: readonly EdgeName[] = []): string[] {
  return [
    'Account: Workers R2 Storage: Edit',
    'Account: Account API Tokens: Edit',
    'Zone (of the media host): Zone: Read',
    'Zone (of the media host): DNS: Read',
    ...edge.map(edgePermission),
  ]
}

/** Each extra with the permission that it alone needs. */
export function edgePermissions(): { readonly name: EdgeName; readonly permission: string }[] {
  return edgeNames.map((name) => ({ name, permission: edgePermission(name) }))
}

function edgePermission(name: EdgeName): string {
  return `Zone (of the media host): ${permissionNames[extras[name].permission]}`
}

export interface TokenChoice {
  readonly cloudflare: CloudflarePort
  /** The same answer each time; of a token that was given it may still be under way. */
  readonly token: () => Promise<BootstrapToken>
}

/** What a person is told who has to make a token. */
export interface TokenWords {
  tell(ui: Ui): void
  /** The other link, for who is no administrator of the account. */
  tellOwn(ui: Ui): void
}

/** For a command that needs a token of its own: `permissions` as the dashboard names them. */
export function wordsFor(wish: {
  readonly name: string
  readonly keys: readonly Key[]
  readonly permissions: readonly string[]
}): TokenWords {
  const { name, keys, permissions } = wish
  return {
    tell(ui) {
      ui.note('An API token of Cloudflare is needed, for this alone', [
        'Open this address, create the token there, and copy it:',
      ])
      ui.link(accountLink(keys, name))
      ui.note('What the token may do', permissions)
    },
    tellOwn: (ui) => tellOwnToken(ui, userLink([...keys, ['account_settings', 'read']], name)),
  }
}

function setupWords(settings: Settings<Catalog>): TokenWords {
  const edge = (settings.get('edge') ?? []) as readonly EdgeName[]
  return {
    tell: (ui) => tellToken(ui, edge),
    tellOwn: (ui) => tellOwnToken(ui, tokenLinks(edge)[1]?.url ?? ''),
  }
}

/**
 * The bootstrap token. Of one that a person types it is known that Cloudflare knows it, or another is
 * asked for; who one is that was given is asked beside what comes next.
 */
export async function chooseToken(
  settings: Settings<Pick<SetupCatalog, 'apiToken' | 'accountId'> & Catalog>,
  ui: Ui,
  connect: (token: Secret) => Promise<CloudflarePort>,
  words: TokenWords = setupWords(settings),
): Promise<TokenChoice> {
  const accountId = settings.get('accountId') as string | undefined
  const given = settings.get('apiToken') as Secret | undefined
  if (given !== undefined) {
    const cloudflare = await connect(given)
    const identity = active(cloudflare, accountId)
    identity.catch(() => undefined)
    return { cloudflare, token: () => identity }
  }
  if (ui.canAsk) words.tell(ui)
  for (;;) {
    const secret = await askToken(settings, ui, words)
    const done = ui.busy('Asking Cloudflare about the token')
    try {
      const cloudflare = await connect(secret)
      const token = await active(cloudflare, accountId)
      return { cloudflare, token: async () => token }
    } catch (error) {
      if (!(error instanceof Problem) || !ui.canAsk) throw error
      done()
      ui.warn(prose`${error.what} ${error.why} ${atPrompt(error.next)}`)
      settings.forget('apiToken')
    } finally {
      done()
    }
  }
}

/** Rejects with Problem `token-inactive` where it is known, and of no use. */
async function active(
  cloudflare: CloudflarePort,
  accountId: string | undefined,
): Promise<BootstrapToken> {
  const token = await identify(cloudflare, accountId)
  if (token.status !== 'active') throw inactiveToken(token.status)
  return token
}

/** Where the next one is typed a moment later, nothing has to be run again. */
function atPrompt(next: Text): Text {
  return typeof next === 'string' ? next.replace(/,? and run this again\.$/, '.') : next
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

/** What is typed instead of a token, to see the other link. */
const OTHER = '?'

async function askToken(
  settings: Settings<Catalog>,
  ui: Ui,
  { tellOwn }: TokenWords,
): Promise<Secret> {
  for (;;) {
    const typed = await ui.ask({
      message: 'Paste the token here',
      hint: `Type ${OTHER} for a link to a token that you own yourself`,
      masked: true,
      fault: (text) => (text.trim() === OTHER ? undefined : settings.fault('apiToken', text)),
    })
    if (typed.trim() !== OTHER) {
      settings.offer('apiToken', typed, 'you')
      return settings.get('apiToken') as Secret
    }
    tellOwn(ui)
  }
}

/** All that the question about the token needs; it fits on a screen of 80 columns and 24 lines. */
function tellToken(ui: Ui, edge: readonly EdgeName[]): void {
  const [account] = tokenLinks(edge)
  const byHand = edge.filter((name) => extras[name].key === undefined)
  const filled = edge.filter((name) => !byHand.includes(name))
  ui.note('An API token of Cloudflare is needed, for this setup only', [
    'Open this address, create the token there, and copy it:',
  ])
  ui.link(account?.url ?? '')
  ui.note('What the token may do', [
    ...tokenPermissions(filled),
    ...(byHand.length === 0 ? [] : ['The address leaves these out; add them there by hand:']),
    ...byHand.map(edgePermission),
  ])
  ui.say(
    'Let it end soon (TTL: one day), and delete it when the setup is done. It is used while this runs, and never stored.',
  )
}

function tellOwnToken(ui: Ui, link: string): void {
  ui.note('A token that you own yourself, for who is no administrator of the account', [
    'It may do the same, and Account: Account Settings: Read beside that:',
  ])
  ui.link(link)
}

/** The account: given, the only one, or asked for. */
export async function chooseAccount(
  settings: Settings<Pick<SetupCatalog, 'accountId'>>,
  ui: Ui,
  cloudflare: CloudflarePort,
): Promise<string> {
  const given = settings.get('accountId')
  const accounts = await cloudflare.listAccounts()
  if (given !== undefined) {
    const known = accounts.length === 0 || accounts.some(({ id }) => id === given)
    if (!known) throw notSeen(given, settings.source('accountId') ?? '', accounts)
    return given
  }
  const [only, ...more] = accounts
  if (!only) throw none()
  if (more.length > 0 && !ui.canAsk) throw several(accounts)
  const id =
    more.length === 0
      ? only.id
      : await ui.choose({
          message: 'Which Cloudflare account?',
          options: accounts.map(({ id, name }) => ({ value: id, label: name, hint: id })),
        })
  settings.offer('accountId', id, more.length === 0 ? 'the token' : 'you')
  return id
}

/**
 * Problem `flag-without-effect` where another account is named than the one that S3_ENDPOINT tells;
 * `from` is the file it stands in.
 */
export function refuseOtherAccount(
  settings: Pick<Settings<Pick<SetupCatalog, 'accountId'>>, 'get' | 'source'>,
  { accountId, from }: { readonly accountId: string | undefined; readonly from: string },
): void {
  const given = settings.get('accountId')
  if (accountId === undefined || given === undefined || given === accountId) return
  const why = `${from} names the account ${accountId}, and the key is there.`
  throw noEffect(settings.source('accountId') ?? '--account-id', why)
}

function list(accounts: readonly Account[]): string {
  return accounts.map(({ id, name }) => `  ${id}  ${name}`).join('\n')
}

function several(accounts: readonly Account[]): Problem {
  return new Problem({
    code: 'account-unclear',
    what: `The token sees ${accounts.length} accounts.`,
    why: `There is nobody here to ask which one is meant:\n${list(accounts)}`,
    next: `Add --account-id, or set CLOUDFLARE_ACCOUNT_ID.`,
    exit: 2,
  })
}

function notSeen(id: string, source: string, accounts: readonly Account[]): Problem {
  return new Problem({
    code: 'account-not-seen',
    what: `The token does not see the account ${id} (from ${source}).`,
    why: `It sees:\n${list(accounts)}`,
    next: 'Correct --account-id, or use a token of that account.',
    exit: 2,
  })
}

function none(): Problem {
  const lacking = (['account-tokens', 'zone', 'dns'] as const).map(
    (permission) => `\n  ${permissionNames[permission]}`,
  )
  return new Problem({
    code: 'no-account',
    what: 'The token is good, and sees no account.',
    why: `It was made without "Account Resources", for a user without an account, or on the R2 page. A token of the R2 page has R2 rights only (and "${permissionNames.r2}" only as "Admin Read & Write"), and lacks:${lacking.join('')}`,
    next: 'Edit the token: include the account, and add what it lacks. With --account-id each permission can be asked for.',
    exit: 2,
  })
}

/** Cloudflare knows the token, and refuses all that is asked with it. */
export function inactiveToken(status: string): Problem {
  return new Problem({
    code: 'token-inactive',
    what: `The API token is ${status}.`,
    why: 'Cloudflare knows it, and refuses everything that is asked with it.',
    next: 'Make a new API token and run this again.',
    exit: 2,
  })
}
