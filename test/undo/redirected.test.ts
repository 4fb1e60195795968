import { expect, test } from 'vitest'
import { redirectsOfHost } from '../../src/undo/redirected.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { HOST, installationOf, worldOf } from '../fakes/fake-world.ts'

const settings = (lines: Readonly<Record<string, string>>) =>
  new Map(Object.entries(lines).map(([name, value]) => [name, { value, from: 'a file' }] as const))

/** What answers with a redirect, by the beginning of the address. */
async function seen(
  answers: Readonly<Record<string, string>>,
  refused = '',
  { found = 302, none = 404 } = {},
) {
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
    return { status: location.length > 0 ? found : none, header, body: new Uint8Array() }
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

test.each([301, 303, 307, 308])('whatever kind of redirect: %i', async (found) => {
  expect((await seen({ [SYSTEM]: `https://${HOST}/` }, '', { found })).to).toHaveLength(1)
})

test('an address that comes with something else is none', async () => {
  expect((await seen({ [SYSTEM]: `https://${HOST}/` }, '', { found: 200 })).to).toEqual([])
})

test('one that goes by another name of the site leads there, too', async () => {
  const www = 'https://www.example.com/system/'
  const { to } = await seen({ [SYSTEM]: www, [www]: `http://${HOST}/` })
  expect(to).toEqual([{ from: `${SYSTEM}...`, to: `http://${HOST}/...` }])
})

test('whoever else is on the way is not asked', async () => {
  const [other, hop] = ['https://other.example/', 'http://169.254.169.254/']
  const { to } = await seen({ [SYSTEM]: other, [other]: `https://${HOST}/` })
  expect(to).toEqual([])
  expect((await seen({ [SYSTEM]: hop, [hop]: `https://${HOST}/` })).to).toEqual([])
})

test('a loop ends', async () => {
  expect(await seen({ [SYSTEM]: SYSTEM })).toEqual({ to: [], from: [], unseen: [] })
})

test.each([403, 429, 502])('an answer that may hide a redirect is told: %i', async (none) => {
  const { to, unseen } = await seen({}, '', { none })
  expect(to).toEqual([])
  expect(unseen).toContain(`${SYSTEM}... answers ${none}, which may hide one`)
})
