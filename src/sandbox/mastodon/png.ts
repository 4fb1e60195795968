import { deflateSync } from 'node:zlib'
import type { SeededRandom } from './seeded-random.ts'

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let rest = index
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** As PNG has it (PNG specification, annex D); Node has one of its own only from 22.2. */
export function crc32(data: Uint8Array): number {
  let rest = 0xffffffff
  for (const byte of data) rest = (table[(rest ^ byte) & 0xff] ?? 0) ^ (rest >>> 8)
  return ~rest >>> 0
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const END = chunk('IEND', Buffer.alloc(0))

/** A greyscale picture of noise, `side` pixels wide and high: about side² bytes. */
export function png(side: number, random: SeededRandom): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  // 8 bits a pixel, greyscale
  header[8] = 8
  const noise = random.bytes(side * (side + 1))
  // The filter of each line: none.
  for (let line = 0; line < side; line++) noise[line * (side + 1)] = 0
  const pixels = deflateSync(noise, { level: 1 })
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', pixels), END])
}

/** The same picture with a note in it. */
export function pngWithNote(picture: Buffer, note: string): Buffer {
  const text = chunk('tEXt', Buffer.from(`Comment\0${note}`, 'latin1'))
  return Buffer.concat([picture.subarray(0, -END.length), text, END])
}

/** Length, type, data, CRC of type and data (PNG specification, 5.3). */
function chunk(type: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(data.length + 12)
  whole.writeUInt32BE(data.length, 0)
  whole.write(type, 4, 'latin1')
  data.copy(whole, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), whole.length - 4)
  return whole
}
