import { describe, expect, it } from 'vitest'
import { undoBucket } from '../../src/setup/bucket.ts'
import { undoOf } from '../fakes/fake-undo.ts'
import { HOST, worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

const flag = { deleteEmptyBucket: true }
const both = { ...flag, detachDomain: true }

describe('undo of the bucket', () => {
  it.each<[string, object, boolean | 'tests' | undefined, string[], string]>([
    ['no flag', {}, false, [], 'example-media is empty; add --delete-empty-bucket to remove it'],
    ['no flag, not empty', {}, true, [], 'example-media is not empty'],
    ['not empty', flag, true, [], 'example-media is not empty'],
    [
      'test files of a killed run',
      both,
      'tests',
      [],
      'example-media holds nothing but test files of a run that was killed, which init, run once more, removes',
    ],
    ['not to be seen', flag, undefined, [], 'this token may not see whether it is empty'],
    ['our host on it', flag, false, [HOST], `it serves ${HOST}; add --detach-domain to remove it`],
    ['another host on it', both, false, [HOST, 'x.example'], 'it serves x.example, too'],
  ])('%s: it stays', async (_, wishes, filled, hosts, reason) => {
    const world = worldOf()
    world.cloudflare.bucket = { name: 'example-media' }
    world.cloudflare.filled = filled
    world.cloudflare.listCustomDomains = async () => hosts
    const finding = await undoBucket(undoOf(wishes)).look(world)
    expect(finding).toMatchObject({ is: 'later', note: `stays: ${reason}` })
  })

  it('goes when it is empty, serves no other host, and the flag is given', async () => {
    const world = worldOf()
    const step = undoBucket(undoOf(both))
    expect(found(await step.look(world))).toBe('ready example-media does not exist')
    world.cloudflare.bucket = { name: 'example-media' }
    world.cloudflare.listCustomDomains = async () => [HOST]
    expect(found(await step.look(world))).toBe(
      'change [destructive] delete the empty bucket example-media',
    )
    await step.change?.(world)
    expect(world.cloudflare.writes).toEqual(['delete example-media'])
    expect(found(await step.look(world))).toBe('ready example-media does not exist')
  })
})
