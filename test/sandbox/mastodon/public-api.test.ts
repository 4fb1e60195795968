import { expect, test } from 'vitest'
import { publicApi } from '../../../src/sandbox/mastodon/public-api.ts'

const keys = [
  'media_attachments/files/109/291/000/000/000/001/original/a.mp4',
  'media_attachments/files/109/291/000/000/000/001/small/a.png',
  'accounts/avatars/000/000/007/original/b.gif',
  'accounts/avatars/000/000/007/static/b.png',
]
const host = 'social.example.com'
const ask = (path: string, settings: Readonly<Record<string, string>> = {}) =>
  publicApi(path, { host, keys, settings: new Map(Object.entries(settings)) })

test('a post has its attachment, where Mastodon stores it', () => {
  const path = '/api/v1/statuses/109291000000000001'
  const [original, small] = keys
  expect(ask(path)?.body).toMatchObject({
    media_attachments: [
      { url: `https://${host}/system/${original}`, preview_url: `https://${host}/system/${small}` },
    ],
  })
  const onS3 = { S3_ENABLED: 'true', S3_ALIAS_HOST: 'files.example.com' }
  expect(ask(path, onS3)?.body).toMatchObject({
    media_attachments: [{ url: `https://files.example.com/${original}` }],
  })
})

test('an account has its avatar, and the missing header of everybody', () => {
  expect(ask('/api/v1/accounts/lookup?acct=u7')).toMatchObject({
    status: 200,
    body: {
      avatar: `https://${host}/system/${keys[2]}`,
      avatar_static: `https://${host}/system/${keys[3]}`,
      header: `https://${host}/headers/original/missing.png`,
    },
  })
})

test.each([
  ['/api/v1/statuses/1', 404],
  ['/api/v1/accounts/lookup?acct=nobody', 404],
  ['/api/v1/accounts/lookup', 404],
  ['/api/v1/timelines/public', undefined],
])('%s: %s', (path, status) => {
  expect(ask(path)?.status).toBe(status)
})
