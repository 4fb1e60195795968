import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { rcloneMissing } from '../e2e/migrating-server.ts'
import { Bench } from '../services/rclone/bench.ts'
import { Migrating } from './migrating.ts'

const FOLDER = 'media_attachments/files/1/'
/** The emulator of R2 finds no route for a key with the end of a line in it. */
const refused = ['new\nline.png', 'return\r.png', 'line\u2028.png', 'paragraph\u2029.png']
const taken = [
  'plain.png',
  'tab\t.png',
  'one\u0001.png',
  'escape\u001b.png',
  'delete\u007f.png',
  'next\u0085.png',
  'picture\u2400.png',
  'quote\u201b.png',
  'slash\uff0f.png',
  'last\uffff.png',
]

describe.skipIf(rcloneMissing)(
  `names that a storage can not hold ${rcloneMissing ?? ''}`,
  async () => {
    const bench = rcloneMissing ? undefined : await Bench.start()
    afterAll(() => bench?.close())

    test('are told, counted, and left out; the copy is complete without them', async () => {
      if (!bench) throw new Error('There is no rclone.')
      const at = new Migrating(bench, await bench.bucket('names'))
      for (const name of [...refused, ...taken]) at.put(`${FOLDER}${name}`, `text of ${name}`)
      const noText = Buffer.from([0x61, 0xff, 0x2e, 0x70, 0x6e, 0x67])
      writeFileSync(Buffer.concat([Buffer.from(join(at.root, FOLDER)), noText]), 'x')
      const found = await at.copy()
      expect(found).toMatchObject({
        is: 'ready',
        note: expect.stringMatching(/^10 files, .* 5 files$/),
      })
      expect(found).toMatchObject({
        warnings: [
          expect.stringMatching(/^4 files left out, as R2 takes no object of such a name: /),
        ],
      })
      expect(at.said.join('\n')).toMatch(/a name that is not UTF-8/)
      expect(at.said.join('\n')).not.toContain('not at this endpoint')
      expect([...(await at.stored()).keys()].sort()).toEqual(
        taken.map((name) => FOLDER + name).sort(),
      )
      // Tried again: the storage may take them by now.
      expect(await at.copy()).toMatchObject({
        is: 'ready',
        note: expect.stringMatching(/^nothing was missing .* 5 files$/),
      })
      at.close()
    })
  },
)
