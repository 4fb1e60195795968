import type { Account } from 'cloudflare/resources/accounts/accounts'
import type { World } from '../world.ts'
import { groupsOf, isVisible } from './permits.ts'
import { ok, Refusal } from './refusal.ts'
import { type Handler, page, param } from './request.ts'

/** Accounts that the token has any permission for; a token for buckets alone may not ask. */
export const listAccounts: Handler = ({ world }, request) => {
  const bucketsOnly = groupsOf(request.actor).every(
    ({ scope }) => scope === 'com.cloudflare.edge.r2.bucket',
  )
  if (bucketsOnly) throw new Refusal('not-permitted')
  const name = request.query.get('name')
  const seen = world.accounts.filter(
    (account) =>
      isVisible(request.actor, { is: 'account', id: account.id }) &&
      (name === null || account.name === name),
  )
  const ordered = request.query.get('direction') === 'desc' ? seen.reverse() : seen
  return page(request, ordered.map(describe), { fallback: 20, min: 5, max: 50 })
}

export const getAccount: Handler = ({ world }, request) => {
  const id = param(request, 'account')
  const account = world.accounts.find((known) => known.id === id)
  if (account === undefined || !isVisible(request.actor, { is: 'account', id })) {
    throw new Refusal('not-permitted')
  }
  return ok<Account>(describe(account))
}

function describe(account: World['accounts'][number]): Account {
  const settings = { enforce_twofactor: false }
  const { id, name } = account
  return { id, name, type: 'standard', settings, created_on: '2024-01-01T00:00:00Z' }
}
