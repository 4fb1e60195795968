import { expect, it } from 'vitest'
import { remember } from '../../src/flow/mastodon-here.ts'
// Loaded before it is counted: reading a file of the program is no round trip.
import '../../src/services/mastodon/env-read.ts'
import { isTestFile } from '../../src/core/test-file.ts'
import { apply } from '../../src/plan/apply.ts'
import { inSetup, type World } from '../../src/plan/step.ts'
import { survey } from '../../src/plan/survey.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { chooseSetup } from '../../src/setup/choose.ts'
import { initSteps } from '../../src/setup/steps.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { silent } from '../fakes/fake-steps.ts'
import {
  ACCOUNT,
  ENV,
  envFileOf,
  HOST,
  installationOf,
  knownKey,
  setupOf,
  worldOf,
} from '../fakes/fake-world.ts'
import { Rounds } from '../fakes/rounds.ts'
import { Screen } from '../ui/terminal.ts'

type Fakes = ReturnType<typeof worldOf>

const active = { host: HOST, enabled: true, ownership: 'active', ssl: 'active' }

/** The fakes over a network that counts, as `init` finds them with an account's token. */
async function begun(fakes: Fakes, installation = installationOf()) {
  const rounds = new Rounds()
  fakes.cloudflare.accounts = [{ id: ACCOUNT, name: 'Ours' }]
  fakes.cloudflare.zones = [setupOf().zone]
  fakes.cloudflare.kindByForm = async () => 'account'
  // The list of keys has the token itself, too.
  const own = { id: 'b'.repeat(32), name: 'setup', status: 'active', groups: [], raw: undefined }
  fakes.cloudflare.keys.push(own)
  // Whose it is tells the list of accounts, and then one of them.
  const cloudflare = rounds.over(fakes.cloudflare, { kindByForm: 0, identifyToken: 2 })
  const s3 = rounds.over(fakes.s3, { putMultipart: 3 })
  const settings = await Settings.resolve(catalog, {
    flags: new Map(Object.entries({ mediaHost: HOST, bucket: 'example-media' })),
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('read')),
  })
  const screen = new Screen()
  const ui = plainUi({ words: screen, stdout: screen, stderr: screen, quiet: false })
  const identity = cloudflare.identifyToken()
  const setup = await chooseSetup({
    settings,
    ui: { ...ui, canAsk: false },
    installation,
    remembered: remember(installation),
    cloudflare,
    token: () => identity,
    lookOnly: false,
    readEnvFile: async (path) => envFileOf('', { path, exists: false }),
  })
  const world = {
    ...fakes,
    ...inSetup(setup),
    cloudflare,
    connectS3: () => s3,
    web: rounds.over(fakes.web),
    facts: {},
  } as unknown as World
  return { rounds, world }
}

/**
 * Rounds until the host was attached, and behind the one that tells that it is active, which it is
 * once all that can be done meanwhile is done.
 */
async function firstInit() {
  const fakes = worldOf()
  let [attachedIn, activeIn] = [0, 0]
  const { attachCustomDomain, findCustomDomain } = fakes.cloudflare
  const { put } = fakes.s3
  const { rounds, world } = await begun(fakes)
  Object.assign(fakes.cloudflare, {
    attachCustomDomain: async (...details: Parameters<typeof attachCustomDomain>) => {
      attachedIn = rounds.count
      await attachCustomDomain.apply(fakes.cloudflare, details)
      fakes.cloudflare.domains = [{ ...active, ssl: 'pending' }]
    },
    findCustomDomain: async (...details: Parameters<typeof findCustomDomain>) => {
      activeIn = rounds.count
      return findCustomDomain.apply(fakes.cloudflare, details)
    },
  })
  fakes.s3.put = async (...details) => {
    if (isTestFile(details[0]) && !/-(plain|checksum)/.test(details[0])) {
      fakes.cloudflare.domains = [active]
    }
    return put.apply(fakes.s3, details)
  }
  const looked = await survey(initSteps, world)
  const applied = await apply(initSteps, world, silent(), { looked })
  expect(applied.problem).toBeUndefined()
  return { attachedIn, behind: rounds.count - activeIn }
}

it('a first init attaches the domain in its fourth round trip, behind the bucket', async () => {
  expect((await firstInit()).attachedIn).toBe(4)
})

it('behind its wait a first init reads its file, reads it again, and tidies up', async () => {
  expect((await firstInit()).behind).toBe(3)
})

it('a second init is told all in four round trips, one after another', async () => {
  const key = { id: knownKey.accessKeyId, status: 'active', raw: undefined }
  const secret = knownKey.secretAccessKey.reveal()
  const text = [
    'LOCAL_DOMAIN=example.com',
    'S3_ENABLED=true',
    'S3_BUCKET=example-media',
    `S3_ENDPOINT=https://${ACCOUNT}.r2.cloudflarestorage.com`,
    'S3_REGION=auto',
    'S3_PROTOCOL=https',
    'S3_PERMISSION=',
    `S3_ALIAS_HOST=${HOST}`,
    `AWS_ACCESS_KEY_ID=${key.id}`,
    `AWS_SECRET_ACCESS_KEY=${secret}`,
  ]
  const file = envFileOf(`${text.join('\n')}\n`)
  const settings = new Map(
    text.map((line) => {
      const [name = '', value = ''] = line.split('=')
      return [name, { value, from: ENV }] as const
    }),
  )
  const fakes = worldOf()
  fakes.cloudflare.bucket = { name: 'example-media' }
  fakes.cloudflare.domains = [active]
  fakes.cloudflare.cors = [{ allowed: { origins: ['*'], methods: ['GET', 'HEAD'] } }]
  fakes.cloudflare.keys = [{ ...key, name: `mastodon-r2 example-media ${HOST} 2026-11-22 abcdef` }]
  const installation = installationOf({ envFile: file, envFiles: [file], settings })
  const { rounds, world } = await begun(fakes, installation)
  const plan = await survey(initSteps, world)
  const changed = plan.items.filter(({ finding }) => finding.is !== 'ready')
  expect(changed.map(({ id }) => id)).toEqual(['lifecycle', 'env-file'])
  expect(rounds.count).toBeLessThanOrEqual(4)
})
