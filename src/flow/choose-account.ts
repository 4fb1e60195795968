import { Problem } from '../core/problem.ts'
import type { Account, CloudflarePort } from '../services/cloudflare/port.ts'
import type { Settings } from '../settings/resolve.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'
import type { Ui } from '../ui/port.ts'

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
  return new Problem({
    code: 'no-account',
    what: 'The token is good, and sees no account.',
    why: 'It was made without "Account Resources", or for a user without an account.',
    next: 'Edit the token, include the account, or give --account-id.',
    exit: 2,
  })
}
