import { expect, test } from 'vitest'
import { shownMedia } from '../../src/purge/shown-media.ts'
import { thrownBy } from '../services/cloudflare/api-stub.ts'

const post = { kind: 'post', id: '7', address: 'https://social.example.com/@a/7' } as const
const account = { kind: 'account', name: 'a@b', address: 'https://social.example.com/@a' } as const
const asked: string[] = []

function web(status: number, told: unknown) {
  return {
    async fetch(url: string) {
      asked.push(url)
      const text = typeof told === 'string' ? told : JSON.stringify(told)
      return { status, header: () => [], body: new TextEncoder().encode(text) }
    },
  }
}

const attachment = { url: 'https://f.example/o.png', preview_url: 'https://f.example/s.png' }

test.each([
  ['a post', post, { media_attachments: [attachment] }, ['o.png', 's.png']],
  [
    'a boost',
    post,
    { media_attachments: [], reblog: { media_attachments: [attachment] } },
    ['o.png', 's.png'],
  ],
  ['a post without media', post, { media_attachments: [] }, []],
  [
    'one that is worked on, and one without a preview',
    post,
    {
      media_attachments: [
        { url: null, preview_url: null },
        { url: 'https://f.example/a.mp3', preview_url: null },
      ],
    },
    ['a.mp3'],
  ],
  [
    'an account, each picture once',
    account,
    {
      avatar: 'https://f.example/a.png',
      avatar_static: 'https://f.example/a.png',
      header: 'https://f.example/h.png',
    },
    ['a.png', 'h.png'],
  ],
])('%s', async (_, wanted, told, names) => {
  const found = await shownMedia(web(200, told), 'social.example.com', wanted)
  expect(found).toEqual(names.map((name) => `https://f.example/${name}`))
})

test('it asks Mastodon itself, as anybody may', async () => {
  asked.length = 0
  await shownMedia(web(200, {}), 'social.example.com', post)
  await shownMedia(web(200, {}), 'social.example.com', account)
  expect(asked).toEqual([
    'https://social.example.com/api/v1/statuses/7',
    'https://social.example.com/api/v1/accounts/lookup?acct=a%40b',
  ])
})

test.each([
  [404, { error: 'Record not found' }, 'post-not-shown'],
  [401, { error: 'This API requires an authenticated user' }, 'post-not-shown'],
  [410, '', 'post-not-shown'],
  [200, '<html>', 'mastodon-api-odd'],
  [200, [], 'mastodon-api-odd'],
  [502, {}, 'mastodon-api-odd'],
])('status %d with %j is %s', async (status, told, code) => {
  const work = shownMedia(web(status, told), 'social.example.com', post)
  expect((await thrownBy(work)).code).toBe(code)
})
