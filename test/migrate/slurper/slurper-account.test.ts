import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import type { MigrateRun, PreparedMigration } from '../../../src/migrate/migration.ts'
import { stagesInDetail } from '../../../src/migrate/stage-steps.ts'
import { FakeCloudflare } from '../../fakes/fake-cloudflare.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'
import { ACCOUNT, setupOf } from '../../fakes/fake-world.ts'

const OTHER = 'c'.repeat(32)

/** The account whose jobs are asked for. */
async function accountAsked(
  ofEndpoint: string | undefined,
  given: string | undefined,
): Promise<string> {
  const copy = copyWorld()
  const run = {
    settings: {
      on: () => false,
      get: (name: string) => (name === 'accountId' ? given : undefined),
      need: () => 'super-slurper',
      source: () => '--account-id',
    },
  }
  const prepared = {
    migration: copy.migration,
    target: { accountId: ofEndpoint },
    installation: { envFile: { path: '/live/.env.production' } },
    old: { slurper: { vendor: 's3', bucket: 'old' } },
    world: { place: setupOf() },
  }
  const { steps } = await stagesInDetail.copy(
    run as unknown as MigrateRun,
    prepared as unknown as PreparedMigration,
  )
  const cloudflare = new FakeCloudflare()
  const asked: string[] = []
  Object.assign(cloudflare.slurper, {
    listJobs: async (accountId: string) => {
      asked.push(accountId)
      return []
    },
  })
  await steps[0]?.look({ cloudflare, clock: copy.clock } as never)
  return asked.join()
}

test.each([
  ['as R2’s endpoint has it', ACCOUNT, undefined, ACCOUNT],
  ['as R2’s endpoint has it, and is given', ACCOUNT, ACCOUNT, ACCOUNT],
  ['as it is given, with an endpoint of one’s own', undefined, OTHER, OTHER],
])('the account is known %s', async (_, ofEndpoint, given, account) => {
  expect(await accountAsked(ofEndpoint, given)).toBe(account)
})

test('another one than R2’s endpoint has is refused', async () => {
  const problem = await accountAsked(ACCOUNT, OTHER).catch((error) => error)
  expect(problem).toMatchObject({ code: 'flag-without-effect', exit: 2 })
  expect(problem.why).toContain(`/live/.env.production names the account ${ACCOUNT}`)
})

test('nobody is asked about an account that is not known', async () => {
  const problem = await accountAsked(undefined, undefined).catch((error) => error)
  expect(problem).toBeInstanceOf(Problem)
  expect({ code: problem.code, exit: problem.exit }).toEqual({ code: 'account-unknown', exit: 2 })
})
