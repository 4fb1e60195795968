import { describe, expect, it } from 'vitest'
import { chooseAccount } from '../../src/flow/token.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { FakeCloudflare } from '../fakes/fake-cloudflare.ts'
import { problemOf } from '../fakes/found.ts'
import { Screen } from '../ui/terminal.ts'

const one = { id: '1'.repeat(32), name: 'First' }
const two = { id: '2'.repeat(32), name: 'Second' }

async function choose(given: string | undefined, accounts: (typeof one)[], answer?: string) {
  const screen = new Screen()
  const plain = plainUi({ words: screen, stdout: screen, stderr: screen, quiet: false })
  const ui = answer === undefined ? plain : { ...plain, canAsk: true, choose: async () => answer }
  const cloudflare = new FakeCloudflare()
  cloudflare.accounts = accounts
  const settings = await Settings.resolve(catalog, {
    flags: new Map(given === undefined ? [] : [['accountId', given]]),
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('read')),
  })
  const id = await chooseAccount(settings, ui, cloudflare)
  return [id, settings.source('accountId')]
}

describe('the account', () => {
  it.each<[string, string | undefined, (typeof one)[], string | undefined, string[]]>([
    ['the only one', undefined, [one], undefined, [one.id, 'the token']],
    ['given', two.id, [one, two], undefined, [two.id, '--account-id']],
    ['given, and the token can’t list any', two.id, [], undefined, [two.id, '--account-id']],
    ['asked for', undefined, [one, two], two.id, [two.id, 'you']],
  ])('%s', async (_, given, accounts, answer, expected) => {
    expect(await choose(given, accounts, answer)).toEqual(expected)
  })

  it.each<[string, string | undefined, (typeof one)[], string, string[]]>([
    ['several, and nobody to ask', undefined, [one, two], 'account-unclear', [one.id, two.name]],
    ['one that the token does not see', two.id, [one], 'account-not-seen', [one.id, one.name]],
    [
      'none',
      undefined,
      [],
      'no-account',
      ['Account Resources', 'Account API Tokens: Edit', 'Zone: Read', 'DNS: Read'],
    ],
  ])('refused: %s', async (_, given, accounts, code, words) => {
    const problem = await problemOf(choose(given, accounts))
    expect([problem.code, problem.exit]).toEqual([code, 2])
    for (const word of words) expect(problem.why).toContain(word)
  })
})
