import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canCarry } from '../../../src/services/rclone/client.ts'
import { Bench, type Bucket } from './bench.ts'

const carried = [
  'media_attachments/files/109/000/original/0123456789abcdef.png',
  ' lead.png',
  'trail.png ',
  ' both ',
  "a'quote.png",
  'a"double.png',
  'back\\slash.png',
  '\\',
  'emoji🐘.png',
  'e\u0301-combined.png',
  '\u00e9-composed.png',
  'same/e\u0301.png',
  'same/\u00e9.png',
  'same/E\u0301.png',
  '\u212b-angstrom.png',
  '\u1100\u1161.png',
  '\uac00.png',
  '100%.png',
  '%41.png',
  '%2F.png',
  'a#b.png',
  '#hash',
  'a;b.png',
  '; semicolon',
  'a&b<c>.png',
  'a+b=c.png',
  'a?b*c.png',
  'a:b|c.png',
  'R2:x',
  '-dash',
  '--config',
  '~tilde',
  '$HOME',
  '{brace},[bracket],!',
  'nbsp\u00a0.png',
  'ideographic\u3000.png',
  '\u3000',
  'bom\ufeff.png',
  '\ufeffbom',
  'joiner\u200d.png',
  'right-to-left\u202e.png',
  'replacement\ufffd.png',
  'private\ue000.png',
  'half\uff61.png',
  'dot.',
  'dots..',
  '...',
  '.hidden',
  'sub folder/ x /y.png',
  'UPPER/Case.PNG',
  'upper/case.png',
  'x'.repeat(255),
  'é'.repeat(127),
  Array.from({ length: 5 }, () => 'd'.repeat(200)).join('/'),
]

const notCarried = [
  'new\nline.png',
  'cr\rmid.png',
  'cr-end.png\r',
  'tab\tx.png',
  'bell\u0007.png',
  'delete\u007f.png',
  'nul\u0000.png',
  'next\u0085.png',
  'line\u2028.png',
  'paragraph\u2029.png',
  'quote\u201b.png',
  'picture\u2400.png',
  'picture\u2421.png',
  'slash\uff0f.png',
  '\uff0e',
  'a/\uff0e\uff0e',
  'half a pair\ud83d',
  '',
  '/lead',
  'a//b',
  'a/',
  './a',
  'a/../b',
]

describe('canCarry', () => {
  it.each(notCarried)('%j can not be told or would be changed', (key) => {
    expect(canCarry(key)).toBe(false)
  })
  it.each(carried)('%j can be told', (key) => {
    expect(canCarry(key)).toBe(true)
  })
})

describe('with the real rclone', () => {
  let bench: Bench
  let to: Bucket
  beforeAll(async () => {
    bench = await Bench.start()
    to = await bench.bucket('media')
  })
  afterAll(() => bench.close())

  it('what can be carried arrives as it is named, and is told so', async () => {
    const path = await bench.folder(carried)
    const { copied, failed, error } = await bench.copy({ kind: 'folder', path }, to, carried)
    expect([error, [...failed]]).toEqual([undefined, []])
    expect(copied.sort()).toEqual([...carried].sort())
    expect((await bench.listed(to)).sort()).toEqual([...carried].sort())
    const { body } = await bench.s3(to).get('same/\u00e9.png')
    expect(Buffer.from(body).toString()).toBe('same/\u00e9.png')
  })

  it('what can not is told as failed, and rclone is not asked', async () => {
    const path = await bench.folder(['a.png'])
    const began = bench.commands.length
    const { copied, failed } = await bench.copy({ kind: 'folder', path }, to, notCarried)
    expect([copied, failed.size, bench.commands.length - began]).toEqual([[], notCarried.length, 0])
  })
})
