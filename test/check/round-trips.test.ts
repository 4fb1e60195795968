import { expect, it } from 'vitest'
import { publicWebChecks } from '../../src/check/areas/public-web.ts'
import { storageChecks } from '../../src/check/areas/storage.ts'
import { openDoor } from '../../src/check/areas/storage-door.ts'
import { runChecks } from '../../src/check/run.ts'
import { sharedLook } from '../../src/core/once.ts'
import type { CheckWorld } from '../../src/plan/verdict.ts'
import { Rounds } from '../fakes/rounds.ts'
import { bucketWorld } from './areas/bucket-world.ts'
import { troubles } from './areas/verdicts.ts'

it('the bucket and the public web are looked at in five round trips, one after another', async () => {
  const rounds = new Rounds()
  const { world, s3, web } = bucketWorld()
  const counted = rounds.over(s3, { putMultipart: 3 })
  const connect = () => counted
  const open = sharedLook(openDoor)
  const at = { ...world, web: rounds.over(web), connectS3: connect, connectS3At: () => connect }
  // Its limit of time would be over at once: the clock of fakes goes on by sleeping.
  const clock = { ...at.clock, sleep: () => new Promise<never>(() => undefined) }
  const checks = [...storageChecks(open), ...publicWebChecks(open)]
  const found = await runChecks(checks, { ...at, clock } as CheckWorld, { quick: false })
  expect(troubles(found)).toEqual(['public-cached-404 note', 'public-private-folders note'])
  expect(rounds.count).toBe(5)
})
