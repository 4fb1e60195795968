import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copyThere } from '../../src/leave/copy.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { HIDDEN, leaving, PICTURE } from './to-disk.ts'
import { BACKUP, leaving as toS3 } from './to-s3.ts'

/** Mastodon's answers, one after the other. */
function answers(...keys: readonly (readonly string[])[]) {
  let at = 0
  return async (how?: 'anew') => {
    if (how === 'anew') at = Math.min(at + 1, keys.length - 1)
    return new Set(keys[at])
  }
}

test('of users suspended after it was brought to the disk, it is hidden by the cut-over', async () => {
  const world = await leaving({ onDisk: { [PICTURE]: 'picture', [HIDDEN]: 'hidden' } })
  for (const key of [PICTURE, HIDDEN]) chmodSync(join(world.root, key), 0o644)
  const gone = PICTURE.replace('aaaa', 'gone')
  const at = { ...world.at, hidden: answers([], [HIDDEN, gone], [HIDDEN, PICTURE]) }
  await copyThere(at, 'catch-up').change?.(undefined)
  expect([world.mode(PICTURE), world.mode(HIDDEN)]).toEqual([0o644, 0o600])
  await copyThere(at, 'last').change?.(undefined)
  expect(world.mode(PICTURE)).toBe(0o644)
  await copyThere(at, 'after').change?.(undefined)
  expect(world.mode(PICTURE)).toBe(0o600)
})

test('the plan of a cut-over says that it hides', async () => {
  const { at } = await leaving()
  expect(await copyThere(at, 'catch-up').look(undefined)).toMatchObject({
    changes: [{}, { what: expect.stringContaining('hide what is there of suspended users') }],
  })
})

test('in another bucket it gets the ACL private, once in a run', async () => {
  const { at, next, copy } = await toS3()
  Object.assign(at, { hidden: answers([], [PICTURE], [PICTURE, HIDDEN, 'media_attachments/gone']) })
  await copy()
  expect(next.objects.get(HIDDEN)?.acl).toBe('public-read')
  await copy('catch-up')
  await copy('after')
  expect([PICTURE, HIDDEN].map((key) => next.objects.get(key)?.acl)).toEqual(['private', 'private'])
  expect(next.calls.filter((call) => call === `acl ${PICTURE}`)).toHaveLength(1)
})

test('a provider that takes no other ACL: what stays readable is told, and all else goes on', async () => {
  const { at, next, notes, copy } = await toS3()
  const many = Array.from({ length: 60 }, (_, nth) => `media_attachments/files/${nth}/a.png`)
  Object.assign(at, { hidden: answers([], [...many, BACKUP]) })
  next.refuse = (verb) => (verb === 'acl' ? refusal('s3-501') : undefined)
  expect(await copy('catch-up')).toMatchObject({
    is: 'ready',
    warnings: [
      expect.stringMatching(
        /^61 files in the new bucket are of suspended users, .* could not be given the ACL private/,
      ),
    ],
  })
  expect(next.calls.filter((call) => call.startsWith('acl '))).toHaveLength(20)
  expect(notes.filter((note) => note.startsWith('not hidden'))).toHaveLength(61)
})
