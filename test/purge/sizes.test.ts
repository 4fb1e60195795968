import { describe, expect, test } from 'vitest'
import { folderOf, sizesOf } from '../../src/purge/sizes.ts'
import { namedUrls, oldUrls, type Targets, zonePurges } from '../../src/purge/targets.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'

const FOLDER = 'media_attachments/files/109/291/000/000/000/001/'

function bucket(...keys: readonly string[]): FakeS3 {
  const s3 = new FakeS3()
  const options = { contentType: 'image/png', cacheControl: 'public' }
  for (const key of keys) s3.objects.set(key, { body: new Uint8Array(7), ...options })
  return s3
}

describe('all sizes of a file', () => {
  test('are what its folder holds, whichever was named', async () => {
    const all = [`${FOLDER}original/a.mp4`, `${FOLDER}small/a.png`]
    for (const key of all) {
      const { present, absent, guessed } = await sizesOf(bucket(...all, 'other/x.png'), [key])
      expect(present).toEqual(all.map((one) => ({ key: one, size: 7 })))
      expect([absent, guessed]).toEqual([[], []])
    }
  })

  test('are guessed where the bucket has lost them', async () => {
    const key = `${FOLDER}small/a.png`
    const { present, absent, guessed } = await sizesOf(bucket(), [key])
    expect([present, absent]).toEqual([[], [key]])
    expect(guessed).toContain(`${FOLDER}original/a.jpg`)
    expect(guessed).toContain(`${FOLDER}original/a.mp4`)
    expect(guessed.every((one) => one.startsWith(`${FOLDER}original/a.`))).toBe(true)
  })

  test('of an emoji are its still picture, of a card there are none', async () => {
    const emoji = 'cache/custom_emojis/images/000/012/345/original/e.gif'
    const card = 'cache/preview_cards/images/000/012/345/original/c.jpg'
    const { guessed } = await sizesOf(bucket(emoji, card), [emoji, card])
    expect(guessed).toContain(emoji.replace('/original/e.gif', '/static/e.png'))
    expect(guessed.filter((key) => key.includes('preview_cards'))).toEqual([])
  })

  test('never those of a longer id that begins alike', async () => {
    const short = 'accounts/avatars/001/000/000/original/a.png'
    const long = 'accounts/avatars/001/000/000/001/original/b.png'
    const { present } = await sizesOf(bucket(short, long), [short])
    expect(present.map(({ key }) => key)).toEqual([short])
  })

  test('a file of another form is alone', async () => {
    const key = 'mastodon-r2-probe/x'
    expect(folderOf(key)).toBe(key)
    const { present } = await sizesOf(bucket(key, `${key}y`), [key])
    expect(present.map((one) => one.key)).toEqual([key])
  })
})

describe('what is purged', () => {
  const key = `${FOLDER}original/a b.png`
  const zone = { id: 'z1', name: 'example.com' }
  const targets: Targets = {
    mediaHost: 'files.example.com',
    origin: 'https://social.example.com',
    places: [
      { host: 'files.example.com', path: '/', zone },
      { host: 'social.example.com', path: '/system/', zone },
      { host: 'cdn.example.net', path: '/', zone: { id: 'z2', name: 'example.net' } },
    ],
    present: [{ key, size: 1 }],
    absent: [],
    guessed: [`${FOLDER}small/a b.png`],
    queries: [{ key, query: '?v=1' }],
  }
  const path = `${FOLDER}original/a%20b.png`

  test('both schemes, old places of the same zone, queries; the folder for the rest', () => {
    const [first, second, ...more] = zonePurges(targets)
    expect([first?.zoneId, second?.zoneId, more]).toEqual(['z1', 'z2', []])
    expect(first?.urls).toEqual(
      expect.arrayContaining([
        `https://files.example.com/${path}`,
        `http://files.example.com/${path}`,
        `https://files.example.com/${path}?v=1`,
        `https://social.example.com/system/${path}`,
        `https://files.example.com/${FOLDER}small/a%20b.png`,
      ]),
    )
    expect(first?.urls.filter((url) => url.includes('example.net'))).toEqual([])
    expect(first?.withOrigin.every((url) => url.startsWith('https:'))).toBe(true)
    expect(first?.prefixes).toEqual([
      `files.example.com/${FOLDER}`,
      `social.example.com/system/${FOLDER}`,
    ])
    expect(second?.prefixes).toEqual([`cdn.example.net/${FOLDER}`])
  })

  test('what is proven has no guess in it', () => {
    expect(namedUrls(targets)).toEqual([
      `https://files.example.com/${path}`,
      `https://files.example.com/${path}?v=1`,
    ])
    expect(oldUrls(targets)).toEqual([
      `https://social.example.com/system/${path}`,
      `https://cdn.example.net/${path}`,
    ])
  })
})
