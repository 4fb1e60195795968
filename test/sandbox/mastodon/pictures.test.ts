import { inflateSync, crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { jpeg, jpegWithNote } from '../../../src/sandbox/mastodon/jpeg.ts'
import {
  gif,
  gifWithNote,
  mediaBodies,
  mp4,
  ogg,
  webp,
  webpWithNote,
} from '../../../src/sandbox/mastodon/media-files.ts'
import { crc32, png, pngWithNote } from '../../../src/sandbox/mastodon/png.ts'
import { seededRandom } from '../../../src/sandbox/mastodon/seeded-random.ts'

const random = () => seededRandom(7)

describe('PNG', () => {
  const picture = pngWithNote(png(20, random()), 'note')

  test('is made of chunks whose sums are right', () => {
    const names: string[] = []
    for (let at = 8; at < picture.length; ) {
      const length = picture.readUInt32BE(at)
      const chunk = picture.subarray(at + 4, at + 8 + length)
      names.push(chunk.toString('latin1', 0, 4))
      expect(picture.readUInt32BE(at + 8 + length)).toBe(crc32(chunk))
      at += length + 12
    }
    expect(names).toEqual(['IHDR', 'IDAT', 'tEXt', 'IEND'])
  })

  test('holds as many pixels as it says', () => {
    const start = picture.indexOf('IDAT') + 4
    const pixels = inflateSync(picture.subarray(start, start + picture.readUInt32BE(start - 8)))
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([20, 20])
    expect(pixels.length).toBe(20 * 21)
  })

  test('the sum is the one that everybody knows', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
    if (zlibCrc32) expect(crc32(picture)).toBe(zlibCrc32(picture))
  })
})

test('GIF: its codes name every pixel and end with the stop code', () => {
  const side = 21
  const picture = gifWithNote(gif(side, random()), 'note')
  expect(picture.toString('latin1', 0, 6)).toBe('GIF89a')
  const codes: number[] = []
  // Behind the header, 128 colours, the place of the picture and the size of a code.
  for (let at = 13 + 3 * 128 + 11; picture[at] !== 0; at += (picture[at] ?? 0) + 1) {
    codes.push(...picture.subarray(at + 1, at + 1 + (picture[at] ?? 0)))
  }
  expect(codes.filter((code) => code < 128).length).toBe(side * side)
  expect([codes[0], codes.at(-1)]).toEqual([128, 129])
  expect(picture.subarray(-6).toString('latin1')).toBe('note\0;')
})

test('JPEG: every byte between the start of the scan and the end belongs to the picture', () => {
  const picture = jpegWithNote(jpeg(30, random()), 'note')
  const scan = picture.indexOf(Buffer.from([0xff, 0xda])) + 10
  const data = picture.subarray(scan, -2)
  const markers = [...data].filter((byte, at) => byte === 0xff && data[at + 1] !== 0)
  expect(markers).toEqual([])
  expect(picture.subarray(-2)).toEqual(Buffer.from([0xff, 0xd9]))
  expect(picture.toString('latin1', 6, 10)).toBe('note')
})

test('WebP: the lengths are those of what follows', () => {
  const picture = webpWithNote(webp(33, random()), 'notes')
  expect(picture.readUInt32LE(4)).toBe(picture.length - 8)
  const length = picture.readUInt32LE(16)
  expect(picture.toString('latin1', 8, 16)).toBe('WEBPVP8L')
  const note = 20 + length + (length % 2)
  expect(picture.toString('latin1', note, note + 4)).toBe('note')
  // Width and height less one, 14 bits each.
  expect((picture.readUInt32LE(21) & 0x3fff) + 1).toBe(33)
})

test.each([
  ['mp4', mp4(9_000, random()), 'ftypisom', 4],
  ['ogg', ogg(9_000, random()), 'OggS', 0],
])('%s has its length and begins as one', (_, body, start, at) => {
  expect(body.length).toBe(9_000)
  expect(body.toString('latin1', at, at + start.length)).toBe(start)
})

test.each(['png', 'jpg', 'gif', 'webp', 'mp4', 'ogg', 'zip', 'csv'])(
  'no two %s are alike',
  (kind) => {
    const bodies = mediaBodies(random())
    const made = Array.from({ length: 60 }, () => bodies.next(kind).toString('latin1'))
    expect(new Set(made).size).toBe(60)
    const again = mediaBodies(random())
    expect(again.next(kind).toString('latin1')).toBe(made[0])
  },
)
