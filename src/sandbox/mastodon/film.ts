import type { SeededRandom } from './seeded-random.ts'

/** Begins as an MP4 file does and holds noise: `length` bytes. Nobody can play it. */
export function mp4(length: number, random: SeededRandom): Buffer {
  const brands = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2mp41', 'latin1'))
  return Buffer.concat([brands, box('mdat', random.bytes(length - brands.length - 8))])
}

/** Begins as an Ogg file does and holds noise: `length` bytes. Nobody can play it. */
export function ogg(length: number, random: SeededRandom): Buffer {
  const start = Buffer.alloc(28)
  start.write('OggS', 'latin1')
  // First page of a stream, in one segment.
  start[5] = 2
  start[26] = 1
  start[27] = 255
  return Buffer.concat([start, random.bytes(length - start.length)])
}

function box(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(data.length + 8, 0)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, data])
}
