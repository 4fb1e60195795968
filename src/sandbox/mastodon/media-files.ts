import { mp4, ogg } from './film.ts'
import { gif, gifWithNote } from './gif.ts'
import { jpeg, jpegWithNote } from './jpeg.ts'
import { png, pngWithNote } from './png.ts'
import type { SeededRandom } from './seeded-random.ts'
import { webp, webpWithNote } from './webp.ts'

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
