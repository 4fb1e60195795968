import { BitWriter } from './bit-writer.ts'
import type { SeededRandom } from './seeded-random.ts'

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
