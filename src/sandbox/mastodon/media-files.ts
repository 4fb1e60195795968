import { BitWriter, jpeg, jpegWithNote } from './jpeg.ts'
import { png, pngWithNote } from './png.ts'
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

const END = Buffer.from([0x3b])
const [CLEAR, STOP] = [128, 129]

/**
 * A picture of 128 greys, `side` pixels wide and high: about side² bytes. Its codes stay 8 bits long
 * because the table is thrown away before it grows (GIF89a, appendix F).
 */
export function gif(side: number, random: SeededRandom): Buffer {
  const greys = Array.from({ length: 128 }, (_, index) => [index * 2, index * 2, index * 2]).flat()
  const size = [side & 255, side >> 8, side & 255, side >> 8]
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    // A table of 2^7 colours for the whole picture.
    Buffer.from([...size, 0xf6, 0, 0, ...greys]),
    Buffer.from([0x2c, 0, 0, 0, 0, ...size, 0, 7]),
    inBlocks(codes(side * side, random)),
    END,
  ])
}

/** The same picture with a note in it. */
export function gifWithNote(picture: Buffer, note: string): Buffer {
  const text = Buffer.from(note, 'latin1')
  const comment = Buffer.concat([Buffer.from([0x21, 0xfe, text.length]), text, Buffer.from([0])])
  return Buffer.concat([picture.subarray(0, -END.length), comment, END])
}

function codes(pixels: number, random: SeededRandom): Buffer {
  const bits = new BitWriter('low')
  for (let at = 0; at < pixels; at++) {
    if (at % 100 === 0) bits.write(CLEAR, 8)
    bits.write(random.below(128), 8)
  }
  return bits.write(STOP, 8).bytes()
}

/** Each block with its length in front, the empty one last. */
function inBlocks(data: Buffer): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < data.length; at += 255) {
    const block = data.subarray(at, at + 255)
    blocks.push(Buffer.from([block.length]), block)
  }
  return Buffer.concat([...blocks, Buffer.from([0])])
}

/**
 * A picture of one colour, `side` pixels wide and high: 40 bytes or so. Lossless WebP in which every
 * prefix code has a single symbol, so that a pixel takes no bits at all (RFC 9649, section 3).
 */
export function webp(side: number, random: SeededRandom): Buffer {
  const bits = new BitWriter('low')
  bits.write(0x2f, 8)
  bits.write(side - 1, 14).write(side - 1, 14)
  // No transparency, version 0; no transform, no colour cache, one group of codes.
  bits.write(0, 1).write(0, 3).write(0, 1).write(0, 1).write(0, 1)
  for (const symbol of [random.below(256), random.below(256), random.below(256), 255]) {
    // A simple code with one symbol of 8 bits: green, red, blue, alpha.
    bits.write(1, 1).write(0, 1).write(1, 1).write(symbol, 8)
  }
  // Distances: one symbol of a single bit.
  bits.write(1, 1).write(0, 1).write(0, 1).write(0, 1)
  return riff([chunk('VP8L', bits.bytes())])
}

/** The same picture with a note behind it, in a chunk that decoders pass over. */
export function webpWithNote(picture: Buffer, note: string): Buffer {
  return riff([picture.subarray(12), chunk('note', Buffer.from(note, 'latin1'))])
}

function riff(chunks: readonly Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]))
}

function chunk(name: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(8 + data.length + (data.length % 2))
  whole.write(name, 'latin1')
  whole.writeUInt32LE(data.length, 4)
  data.copy(whole, 8)
  return whole
}

/** Contents of media files; no two alike. */
export interface MediaBodies {
  /** Of a kind of file, by its extension. */
  next(extension: string): Buffer
}

interface Maker {
  make(random: SeededRandom): Buffer
  /** Another file of the same kind; `note` has 16 characters. */
  differ(body: Buffer, note: string): Buffer
}

/** Made once and told apart by a note: encoding twenty thousand pictures would take long. */
const POOL = 24

const makers: Readonly<Record<string, Maker>> = {
  png: { make: (random) => png(12 + random.below(70), random), differ: pngWithNote },
  jpg: { make: (random) => jpeg(12 + random.below(80), random), differ: jpegWithNote },
  gif: { make: (random) => gif(10 + random.below(50), random), differ: gifWithNote },
  webp: { make: (random) => webp(16 + random.below(300), random), differ: webpWithNote },
  mp4: { make: (random) => mp4(8_000 + random.below(30_000), random), differ: withOtherEnd },
  ogg: { make: (random) => ogg(4_000 + random.below(12_000), random), differ: withOtherEnd },
}
const plain: Maker = {
  make: (random) => Buffer.from(`${random.hex(200 + random.below(2_000))}\n`),
  differ: withOtherEnd,
}

export function mediaBodies(random: SeededRandom): MediaBodies {
  const pool = new Map<string, Buffer>()
  return {
    next(extension) {
      const maker = makers[extension] ?? plain
      const place = `${extension} ${random.below(POOL)}`
      const body = pool.get(place) ?? maker.make(random)
      pool.set(place, body)
      return maker.differ(body, random.hex(16))
    },
  }
}

function withOtherEnd(body: Buffer, note: string): Buffer {
  return Buffer.concat([body.subarray(0, -note.length), Buffer.from(note, 'latin1')])
}
