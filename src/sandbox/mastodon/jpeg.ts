import type { SeededRandom } from './seeded-random.ts'

/** Bits put one after the other into bytes; `first` tells which end of a byte is filled first. */
export class BitWriter {
  readonly #bytes: number[] = []
  readonly #first: 'low' | 'high'
  #pending = 0
  #count = 0

  constructor(first: 'low' | 'high') {
    this.#first = first
  }

  /** At most 16 bits of a value; in its own bit order when `high`, lowest bit first when `low`. */
  write(value: number, bits: number): this {
    for (let at = 0; at < bits; at++) {
      const bit = (value >>> (this.#first === 'low' ? at : bits - 1 - at)) & 1
      this.#pending |= bit << (this.#first === 'low' ? this.#count : 7 - this.#count)
      if (++this.#count < 8) continue
      this.#bytes.push(this.#pending)
      this.#pending = 0
      this.#count = 0
    }
    return this
  }

  /** All that was written; what is missing from the last byte is `fill`. */
  bytes(fill: 0 | 1 = 0): Buffer {
    while (this.#count > 0) this.write(fill, 1)
    return Buffer.from(this.#bytes)
  }
}

const START = Buffer.from([0xff, 0xd8])
const END = Buffer.from([0xff, 0xd9])
/** Steps of the brightness of a block: 0 to 7 bits, each with a code of 3 bits. */
const CLASSES = [0, 1, 2, 3, 4, 5, 6]

/**
 * A greyscale picture of even squares, `blocks` × 8 pixels wide and high: about blocks² bytes. Baseline
 * JPEG with the average of each square alone (ITU-T T.81).
 */
export function jpeg(blocks: number, random: SeededRandom): Buffer {
  const side = blocks * 8
  const frame = [8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0]
  return Buffer.concat([
    START,
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => 8)]),
    segment(0xc0, frame),
    segment(0xc4, [0x00, ...lengths(3, CLASSES.length), ...CLASSES]),
    // Of the finer detail only the code for "no more of this square".
    segment(0xc4, [0x10, ...lengths(1, 1), 0]),
    segment(0xda, [1, 1, 0, 0, 63, 0]),
    squares(blocks * blocks, random),
    END,
  ])
}

/** The same picture with a note in it. */
export function jpegWithNote(picture: Buffer, note: string): Buffer {
  const comment = segment(0xfe, [...Buffer.from(note, 'latin1')])
  return Buffer.concat([START, comment, picture.subarray(START.length)])
}

function squares(count: number, random: SeededRandom): Buffer {
  const bits = new BitWriter('high')
  let before = 0
  for (let at = 0; at < count; at++) {
    const now = random.below(127) - 63
    const step = Math.max(-63, Math.min(63, now - before))
    before += step
    const size = step === 0 ? 0 : Math.floor(Math.log2(Math.abs(step))) + 1
    bits.write(size, 3)
    bits.write(step < 0 ? step + (1 << size) - 1 : step, size)
    bits.write(0, 1)
  }
  // A byte of ones is followed by a zero, or it would begin a marker.
  const stuffed = [...bits.bytes(1)].flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte]))
  return Buffer.from(stuffed)
}

function segment(marker: number, data: readonly number[]): Buffer {
  const length = data.length + 2
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...data])
}

/** How many codes there are of each length, 1 to 16 bits. */
function lengths(bits: number, count: number): number[] {
  return Array.from({ length: 16 }, (_, index) => (index + 1 === bits ? count : 0))
}
