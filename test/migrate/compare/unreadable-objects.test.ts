import { describe, expect, test } from 'vitest'
import { compareMedia } from '../../../src/migrate/compare/compare.ts'
import type { Migration } from '../../../src/migrate/migration.ts'
import type { Comparison } from '../../../src/plan/report-schema.ts'
import { unreadable } from '../../../src/services/rclone/port.ts'
import { bucketSource } from '../../../src/setup/old-provider.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { copyWorld, objectOf } from '../../fakes/fake-copy.ts'
import { FakeS3 } from '../../fakes/fake-s3.ts'
import { worded } from '../../fakes/found.ts'
import { OLD, run } from '../copy/copy-runs.ts'

type Verb = Parameters<FakeS3['refuse']>[0]

/** A bucket of another provider, in which one object is not given out. */
function world(refused: Partial<Record<Verb, string>>, files = 5) {
  const old = new FakeS3()
  const made = copyWorld()
  made.source.kind = 's3'
  for (let nth = 0; nth < files; nth += 1) {
    const key = `a/${String(nth).padStart(4, '0')}.png`
    old.objects.set(key, objectOf(key))
    made.source.put(key, key, OLD)
  }
  old.refuse = (verb, key) => {
    const code = key.includes('0002') ? refused[verb] : undefined
    return code === undefined ? undefined : refusal(code)
  }
  const endpoint = 'https://s3.example.com'
  const migration: Migration = {
    ...made.migration,
    source: bucketSource(old, 'old at s3.example.com'),
    from: { ...made.migration.to, endpoint, service: 's3.example.com' },
  }
  return { ...made, old, migration }
}

async function compare(at: ReturnType<typeof world>, maxLoss = 0) {
  let comparison: Comparison | undefined
  const compared = (one: Comparison) => {
    comparison = one
  }
  const step = compareMedia(at.migration, { usualModes: 'open', maxLoss, compared })
  const finding = await step.look({ clock: at.clock, facts: {} })
  return { finding, comparison: comparison as Comparison }
}

const cases: [title: string, refused: Partial<Record<Verb, string>>][] = [
  ['403 to everything (its owner is another)', { 'head-object': 's3-403', get: 's3-403' }],
  ['403 to GET alone (archived)', { get: 's3-403' }],
  ['404 to GET, while HEAD knows it', { get: 's3-404' }],
  ['404 to HEAD and GET, while it is listed', { 'head-object': 's3-404', get: 's3-404' }],
]

describe.each(cases)('one object: %s', (_, refused) => {
  test('compare lists it as unreadable at the source, and goes on', async () => {
    const at = world(refused)
    for (const [key, object] of at.old.objects)
      if (!/0002/.test(key)) at.s3.objects.set(key, object)
    const { finding, comparison } = await compare(at)
    expect(comparison).toMatchObject({
      same: { objects: 4 },
      missing: { objects: 0 },
      unreadable: { objects: 1, examples: ['a/0002.png'] },
    })
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: {
        why: expect.stringContaining('1 not readable at the source'),
        next: worded(/access key read that file at old at s3[\s\S]*--max-loss 1/),
      },
    })
    expect((await compare(at, 1)).finding.is).toBe('ready')
  })

  test('copy brings the others and names it, without advice about root', async () => {
    const at = world(refused)
    const isGone = refused.get === 's3-404'
    at.rclone.fate = (key) => {
      if (!key.includes('0002')) return undefined
      return isGone ? 'gone' : { reason: unreadable('403 AccessDenied') }
    }
    const { after, facts } = await run(at)
    expect(at.s3.objects.size).toBe(4)
    expect(facts.mediaCopied).toMatchObject({ objects: 4, vanished: 0 })
    expect(after).toMatchObject({
      is: 'blocked',
      problem: {
        code: 'copy-incomplete',
        why: expect.stringContaining('a/0002.png (not readable at the source'),
        next: worded('--max-loss 1'),
      },
    })
    expect(JSON.stringify(after)).not.toMatch(/root|Mastodon's user/)
    const again = await run(at, { round: 'copy', maxLoss: 1 })
    expect(again.after.is).toBe('ready')
  })
})

test('more than are looked at again count by what the copy was told', async () => {
  const at = world({}, 400)
  at.old.refuse = (verb) => (verb === 'get' ? refusal('s3-403') : undefined)
  at.rclone.fate = () => ({ reason: unreadable('403 InvalidObjectState') })
  await run(at)
  const { comparison } = await compare(at)
  expect([comparison.missing.objects, comparison.unreadable.objects]).toEqual([0, 400])
})
