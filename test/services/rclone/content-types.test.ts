import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askAbout } from '../../../src/services/rclone/client.ts'
import { contentTypeOf, knownExtensions } from '../../../src/services/rclone/content-types.ts'
import { groupByType } from '../../../src/services/rclone/output.ts'
import { Bench, type Bucket } from './bench.ts'

const CACHE_CONTROL = 'public, max-age=315576000, immutable'

/** What Mastodon 4.6 accepts for attachments: app/models/concerns/media_attachment/types.rb. */
const accepted =
  'image/avif image/gif image/heic image/heif image/jpeg image/png image/webp video/mp4 video/ogg video/quicktime video/webm audio/3gpp audio/aac audio/flac audio/mp4 audio/mpeg audio/ogg audio/webm audio/x-wav video/x-ms-asf'.split(
    ' ',
  )
/** app/models/media_attachment.rb */
const attachmentExtensions =
  '.jpg .jpeg .png .gif .webp .heic .heif .avif .webm .mp4 .m4v .mov .ogg .oga .mp3 .wav .flac .opus .aac .m4a .3gp .wma'.split(
    ' ',
  )

describe('the table', () => {
  it.each(attachmentExtensions)('%s has a type that Mastodon accepts', (extension) => {
    expect(accepted).toContain(contentTypeOf(`a/b${extension}`))
  })

  it.each([
    ['a/b.PNG', 'image/png'],
    ['a.png/b', 'application/octet-stream'],
    ['a/.jpg', 'image/jpeg'],
    ['a/b.', 'application/octet-stream'],
    ['backups/dumps/000/000/001/original/archive-20260101.tar.gz', 'application/gzip'],
    ['backups/dumps/000/000/001/original/archive.zip', 'application/zip'],
    ['imports/data/000/000/001/original/follows.csv', 'text/csv'],
    ['site_uploads/files/000/000/001/ico/0123456789abcdef.ico', 'image/vnd.microsoft.icon'],
    ['a/b.unheard-of', 'application/octet-stream'],
  ])('%s is %s', (key, type) => {
    expect(contentTypeOf(key)).toBe(type)
  })
})

describe('groups', () => {
  it('put together what rclone knows, and what has the same type', () => {
    const keys = ['a.png', 'b.jpg', 'c.csv', 'd.m4v', 'e.mp4', 'f', 'g.xyz', 'h.PNG']
    expect(groupByType(keys, new Set(['.png', '.jpg']))).toEqual([
      { contentType: undefined, keys: ['a.png', 'b.jpg', 'f', 'h.PNG'] },
      { contentType: 'text/csv', keys: ['c.csv'] },
      { contentType: 'video/mp4', keys: ['d.m4v', 'e.mp4'] },
      { contentType: 'application/octet-stream', keys: ['g.xyz'] },
    ])
    expect(groupByType(['a.png', 'b', 'c.xyz'], undefined)).toEqual([
      { contentType: 'image/png', keys: ['a.png'] },
      { contentType: undefined, keys: ['b', 'c.xyz'] },
    ])
  })
})

describe('with the real rclone', () => {
  let bench: Bench
  const names = [...knownExtensions, '.xyz', '.css', '', '.'].map((ending) => `x/f${ending}`)
  names.push('x/G.JPG', 'x/G.MP4', 'x/G.WAV')
  beforeAll(async () => {
    bench = await Bench.start()
  })
  afterAll(() => bench.close())

  async function expectHeaders(to: Bucket, keys: readonly string[]) {
    const heads = await Promise.all(keys.map((key) => bench.s3(to).head(key)))
    const stored = heads.map((head) => [head?.contentType, head?.cacheControl])
    expect(stored).toEqual(keys.map((key) => [contentTypeOf(key), CACHE_CONTROL]))
  }

  it('every extension is stored with its type, from a folder and from a bucket', async () => {
    const [first, second] = [await bench.bucket('first'), await bench.bucket('second')]
    const path = await bench.folder(names)
    const { copied, error } = await bench.copy({ kind: 'folder', path }, first, names)
    expect([error, copied.length]).toEqual([undefined, names.length])
    await expectHeaders(first, names)

    await bench.s3(first).put('x/f.png', Buffer.from('x'), {
      contentType: 'binary/octet-stream',
      cacheControl: 'no-store',
    })
    await bench.s3(first).put('x/f.xyz', Buffer.from('x'), {
      contentType: 'application/octet-stream',
      cacheControl: 'no-store',
    })
    const some = ['x/f.png', 'x/f.mp4', 'x/f.csv', 'x/f.xyz', 'x/f']
    bench.requests()
    const between = await bench.copy(first, second, some)
    expect([between.error, between.copied.length]).toEqual([undefined, some.length])
    expect(bench.requests()).toEqual({ GET: some.length, PUT: some.length })
    await expectHeaders(second, some)
  })

  it('rclone is asked for its version and what it knows, which is most of it', async () => {
    const { version, types } = await askAbout(bench.stream)
    expect(version).toMatch(/^1\.\d+\.\d+$/)
    expect([...types]).toEqual(expect.arrayContaining(['.jpg', '.jpeg', '.png', '.gif', '.webp']))
    expect(types.has('.csv')).toBe(false)
  })

  it('all types are told to an rclone that does not answer', async () => {
    const about = await askAbout(() => Promise.reject(new Error('no')))
    expect(about).toEqual({ version: undefined, types: new Set() })
  })
})
