import { expect, test } from 'vitest'
import { redirectsOfHost } from '../../src/undo/redirected.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { HOST, installationOf, worldOf } from '../fakes/fake-world.ts'

const settings = (lines: Readonly<Record<string, string>>) =>
  new Map(Object.entries(lines).map(([name, value]) => [name, { value, from: 'a file' }] as const))

/** What answers with a redirect, by the beginning of the address. */
async function seen(answers: Readonly<Record<string, string>>, refused = '') {
  const installation = installationOf({
    localDomain: 'social.example.com',
    settings: settings({ S3_ENABLED: 'true', S3_ALIAS_HOST: HOST }),
  })
  const world = worldOf({ installation })
  world.web.fetch = async (url) => {
    if (refused !== '' && url.startsWith(refused)) throw refusal('web-timeout')
    const [from, to] = Object.entries(answers).find(([one]) => url.startsWith(one)) ?? []
    const location = from === undefined ? [] : [url.replace(from, to ?? '')]
    const header = (name: string) => (name === 'location' ? location : [])
    return { status: location.length > 0 ? 302 : 404, header, body: new Uint8Array() }
  }
  const past = [
    settings({ S3_ENABLED: 'true', S3_ALIAS_HOST: 'cdn.example.net/x' }),
    settings({ S3_ENABLED: 'true', S3_BUCKET: 'old', S3_REGION: 'eu-west-1' }),
    settings({}),
  ]
  return redirectsOfHost(world, past)
}

const SYSTEM = 'https://social.example.com/system/'

test('nothing leads anywhere', async () => {
  expect(await seen({})).toEqual({ to: [], from: [], unseen: [] })
})

test('old addresses that lead to the media host, whoever does it', async () => {
  const answers = { [SYSTEM]: `https://${HOST}/`, 'https://cdn.example.net/x/': `https://${HOST}/` }
  expect(await seen(answers)).toMatchObject({
    to: [
      { from: 'https://cdn.example.net/x/...', to: `https://${HOST}/...` },
      { from: `${SYSTEM}...`, to: `https://${HOST}/...` },
    ],
    from: [],
  })
})

test('those that lead elsewhere do not need it', async () => {
  expect((await seen({ [SYSTEM]: 'https://other.example/' })).to).toEqual([])
})

test.each(['/about/', 'about/', 'http://['])(
  'a redirect to %s leads to no other host',
  async (to) => {
    expect(await seen({ [SYSTEM]: to, [`https://${HOST}/`]: to })).toMatchObject({
      to: [],
      from: [],
    })
  },
)

test('its own addresses that a way out leads elsewhere', async () => {
  expect(await seen({ [`https://${HOST}/`]: SYSTEM })).toMatchObject({
    to: [],
    from: [{ from: `https://${HOST}/...`, to: `${SYSTEM}...` }],
  })
})

test('what does not answer is told', async () => {
  const { to, from, unseen } = await seen({}, SYSTEM)
  expect([to, from]).toEqual([[], []])
  expect(unseen).toEqual([expect.stringContaining(`${SYSTEM}... was not seen: `)])
})
