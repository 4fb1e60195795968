import { BitWriter } from './bit-writer.ts'
import type { SeededRandom } from './seeded-random.ts'

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
