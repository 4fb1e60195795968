import { describe, expect, it } from 'vitest'
import { apply } from '../../src/plan/apply.ts'
import { inSetup, type Setup, type World } from '../../src/plan/step.ts'
import { hasChanges, survey } from '../../src/plan/survey.ts'
import { initSteps } from '../../src/setup/steps.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { silent } from '../fakes/fake-steps.ts'
import {
  ENV,
  envFileOf,
  HOST,
  installationOf,
  printing,
  setupOf,
  worldOf,
} from '../fakes/fake-world.ts'

type Fakes = ReturnType<typeof worldOf>

const whole = (fakes: Fakes) => fakes as unknown as World
const domain = (ownership: string, enabled = true) => ({
  host: HOST,
  enabled,
  ownership,
  ssl: ownership,
})

/** An account where nothing is set up; the domain takes some looks after it is attached. */
function emptyAccount(setup: Partial<Setup> = {}): Fakes {
  const fakes = worldOf(setup)
  const { cloudflare } = fakes
  const attach = cloudflare.attachCustomDomain.bind(cloudflare)
  cloudflare.attachCustomDomain = async (...details) => {
    await attach(...details)
    cloudflare.domains = [domain('pending'), domain('pending'), domain('active')]
  }
  return fakes
}

const run = (fakes: Fakes) => apply(initSteps, whole(fakes), silent())
const statuses = ({ outcomes }: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(outcomes.map(({ id, status }) => [id, status]))

/** What a second run finds: the file as it was written, and the key in it. */
function secondRun(first: Fakes, made: Setup['knownKey']): Fakes {
  const key = made && { accessKeyId: made.accessKeyId, secretAccessKey: made.secretAccessKey }
  const file = envFileOf(first.envWriter.written.at(-1) ?? '')
  const lines = file.text.split('\n').filter((line) => line.includes('='))
  const settings = new Map(
    lines.map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), { value: line.slice(at + 1), from: ENV }] as const
    }),
  )
  const installation = installationOf({ envFile: file, envFiles: [file], settings })
  const target = { kind: 'file', file } as const
  return { ...first, ...inSetup({ ...setupOf(), installation, target, knownKey: key }) }
}

describe('all of init’s steps together', () => {
  it('looking at an empty account changes nothing, and finds no fault', async () => {
    const fakes = emptyAccount()
    const plan = await survey(initSteps, whole(fakes))
    expect(plan.items.filter(({ finding }) => finding.is === 'blocked')).toEqual([])
    expect(hasChanges(plan)).toBe(true)
    expect([fakes.cloudflare.writes, fakes.s3.calls, fakes.envWriter.written]).toEqual([[], [], []])
  })

  it('set all up, and a second look finds it ready', async () => {
    const fakes = emptyAccount()
    const applied = await run(fakes)
    expect(applied.problem).toBeUndefined()
    expect(statuses(applied)).toEqual({
      token: 'ready',
      bucket: 'changed',
      'media-domain': 'changed',
      'access-keys': 'changed',
      cors: 'changed',
      lifecycle: 'changed',
      'dev-url': 'ready',
      'upload-probe': 'changed',
      'env-file': 'changed',
      'key-in-use': 'changed',
      'public-read': 'changed',
    })
    expect(fakes.s3.objects.size).toBe(0)
    expect(fakes.cloudflare.keys.map(({ name }) => name)).toEqual([
      `mastodon-r2 example-media ${HOST} 2026-11-22 ${fakes.cloudflare.wishes[0]?.name.slice(-6)}`,
    ])
    const written = fakes.cloudflare.writes.length
    const again = secondRun(fakes, applied.facts.accessKey)
    const plan = await survey(initSteps, whole(again))
    expect(plan.items.filter(({ finding }) => finding.is !== 'ready')).toEqual([])
    expect(fakes.cloudflare.writes).toHaveLength(written)
  })

  it.each<[string, (fakes: Fakes) => void, string]>([
    [
      'the test upload fails',
      ({ s3 }) => {
        s3.refuse = (verb) => (verb === 'put' ? refusal('s3-500') : undefined)
      },
      's3-500',
    ],
    [
      'the env file can’t be written',
      ({ envWriter }) => {
        envWriter.write = () => Promise.reject(refusal('disk-full'))
      },
      'disk-full',
    ],
    [
      'the key never works',
      ({ s3 }) => {
        s3.refuse = () => refusal('s3-401')
      },
      's3-401',
    ],
  ])('no orphan key when %s', async (_, arrange, code) => {
    const fakes = emptyAccount()
    arrange(fakes)
    const applied = await run(fakes)
    expect(applied.problem?.code).toBe(code)
    expect(fakes.cloudflare.wishes).toHaveLength(1)
    expect(fakes.cloudflare.keys).toEqual([])
    expect(fakes.envWriter.written).toEqual([])
  })

  it.each<[string, string, (fakes: Fakes) => void]>([
    [
      'the domain stays pending',
      'media-domain-slow',
      ({ cloudflare }) => {
        cloudflare.attachCustomDomain = async () => {
          cloudflare.domains = [domain('pending')]
        }
      },
    ],
    [
      'the domain fails',
      'media-domain-failed',
      ({ cloudflare }) => {
        cloudflare.attachCustomDomain = async () => {
          cloudflare.domains = [domain('error')]
        }
      },
    ],
    [
      'the public read fails',
      'public-status',
      ({ web }) => {
        web.alter = (answer) => ({ ...answer, status: 530 })
      },
    ],
  ])('nothing is switched when %s, and the next run does all', async (_, code, arrange) => {
    for (const storage of ['switch', 'prepare'] as const) {
      const fakes = emptyAccount({ storage })
      const { alter } = fakes.web
      arrange(fakes)
      const applied = await run(fakes)
      expect(applied.problem?.code).toBe(code)
      expect(fakes.envWriter.written).toEqual([])
      expect(fakes.cloudflare.keys).toEqual([])
      fakes.web.alter = alter
      fakes.cloudflare.domains = [domain('active')]
      const again = await run(fakes)
      expect(again.problem).toBeUndefined()
      expect(fakes.envWriter.written).toHaveLength(1)
    }
  })

  it('to be printed: no orphan key when the public read fails', async () => {
    const fakes = emptyAccount({ target: printing })
    fakes.web.alter = (answer) => ({ ...answer, status: 503 })
    const applied = await run(fakes)
    expect(applied.problem?.code).toBe('public-status')
    expect(fakes.cloudflare.keys).toEqual([])
  })

  it('what shadows the env file is found before anything is made', async () => {
    const file = envFileOf('A=1\n')
    const stronger = envFileOf('S3_BUCKET=old\n', { path: '/live/.env.production.local' })
    const settings = new Map([['S3_BUCKET', { value: 'old', from: stronger.path }]])
    const installation = installationOf({ envFile: file, envFiles: [stronger, file], settings })
    const fakes = emptyAccount({ installation })
    const plan = await survey(initSteps, whole(fakes))
    const blocked = plan.items.filter(({ finding }) => finding.is === 'blocked')
    expect(blocked.map(({ id }) => id)).toEqual(['env-file'])
  })
})
