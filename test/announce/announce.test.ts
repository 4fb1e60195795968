import { beforeEach, describe, expect, it } from 'vitest'
import { announce } from '../../src/announce/announce.ts'
import { envWriter } from '../../src/flow/world.ts'
import type { EnvFileOnDisk, Installation } from '../../src/services/mastodon/port.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { FakeCheckpoint } from '../fakes/fake-copy.ts'
import { ENV, envFileOf, HOST, installationOf, worldOf } from '../fakes/fake-world.ts'
import { found, problemOf, warningsOf } from '../fakes/found.ts'

const reload = [
  {
    command: { program: 'systemctl', args: ['reload', 'web'], env: {} },
    line: 'systemctl reload web',
  },
]
const named = `img-src 'self' https://${HOST}; media-src https://${HOST}; connect-src https://${HOST}`
const unnamed = "img-src 'self'; media-src 'self'; connect-src 'self'"
const prepared = `S3_ENABLED=false\nS3_ALIAS_HOST=${HOST}\n`
const other = 'S3_ENABLED=true\nS3_ALIAS_HOST=old.example.net\n'

let checkpoint = new FakeCheckpoint()
beforeEach(() => {
  checkpoint = new FakeCheckpoint()
})

/** An instance whose page names what its env file names, once it was reloaded. */
async function instance(text: string, more: Partial<Installation> = {}, policy = unnamed) {
  const settings = new Map(
    `LOCAL_DOMAIN=example.com\n${text}`.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, { value: value ?? '', from: ENV }] as const]
    }),
  )
  const file = envFileOf(text)
  const installation = installationOf({ envFile: file, envFiles: [file], settings, ...more })
  const state = { env: text, policy: [policy] as string[], status: 200, reloads: true }
  const fakes = worldOf({ installation })
  const real = await envWriter()
  const world = {
    ...fakes,
    envWriter: {
      ...real,
      async write(_: unknown, now: string) {
        state.env = now
        return { backup: `${ENV}.backup` }
      },
    },
    web: {
      ...fakes.web,
      addresses: fakes.web.addresses,
      certificate: fakes.web.certificate,
      async fetch() {
        const header = (name: string) => (name === 'content-security-policy' ? state.policy : [])
        return { status: state.status, header, body: new Uint8Array() }
      },
    },
  }
  fakes.runner.result = () => {
    if (state.reloads && state.env.includes(HOST)) state.policy = [named]
    return {}
  }
  const told: string[] = []
  const step = announce({ checkpoint, tell: (line) => void told.push(line) }, { reload })
  return { state, world, step, told, ran: fakes.runner.ran, clock: fakes.clock }
}

describe('what is needed', () => {
  it.each<[string, string, Partial<Installation>, string[], string]>([
    [
      'prepared, and not reloaded',
      prepared,
      {},
      [unnamed],
      'change [public] run: systemctl reload web',
    ],
    [
      'nothing prepared here',
      '',
      {},
      [unnamed],
      `change name the media host in ${ENV} (a backup is kept); + # Added by mastodon-r2; + S3_ALIAS_HOST=${HOST}; [public] run: systemctl reload web`,
    ],
    [
      'another provider in use',
      `${other}EXTRA_MEDIA_HOSTS=https://a.example https://b.example\n`,
      {},
      [unnamed],
      `change name the media host in ${ENV} (a backup is kept); - EXTRA_MEDIA_HOSTS=https://a.example https://b.example; + EXTRA_MEDIA_HOSTS=https://a.example,https://b.example,https://${HOST}; [public] run: systemctl reload web`,
    ],
    [
      'another provider, an old Mastodon',
      other,
      { version: '4.3.9' },
      [unnamed],
      "later Mastodon 4.3.9 can't name a second media host (4.4 and later can)",
    ],
    [
      'named, and not noted yet',
      prepared,
      {},
      [named],
      `change note that the pages of example.com name ${HOST} as of today`,
    ],
    [
      'no policy at all',
      prepared,
      {},
      [],
      `change note that the pages of example.com send no Content-Security-Policy, so allow ${HOST} as of today`,
    ],
    [
      'the web address counts',
      prepared,
      { webDomain: 'social.example.com' },
      [named],
      `change note that the pages of social.example.com name ${HOST} as of today`,
    ],
    [
      'an unknown instance',
      prepared,
      { localDomain: undefined },
      [],
      "later it can't be seen: The host of the instance is not known.",
    ],
  ])('%s', async (_, text, more, policy, expected) => {
    const { step, world, state } = await instance(text, more)
    state.policy = policy
    expect(found(await step.look(world))).toBe(expected)
    expect(state.env).toBe(text)
  })

  it('glitch-soc gets the other line too', async () => {
    const { step, world } = await instance('', { version: '4.5.0+glitch' })
    expect(found(await step.look(world))).toContain(`EXTRA_MEDIA_HOSTS=https://${HOST}`)
  })

  it('an old Mastodon is warned of what will happen', async () => {
    const { step, world } = await instance(other, { version: '4.3.9' })
    expect(await step.look(world)).toMatchObject({ warnings: [expect.stringContaining('7 days')] })
  })

  it('a page that refuses or does not answer is no reason to stop', async () => {
    const { step, world, state } = await instance(prepared)
    Object.assign(state, { policy: [], status: 403 })
    expect(found(await step.look(world))).toContain('answered with status 403')
    world.web.fetch = async () => {
      throw refusal('web-tls')
    }
    expect(found(await step.look(world))).toMatch(/^later it can't be seen/)
  })

  it.each([
    ['a unit that sets it', 'systemd unit mastodon-web.service', true, 'env-file-shadowed'],
    ['a file that may not be written', ENV, false, 'env-file-not-writable'],
  ])('%s blocks', async (_, from, writable, code) => {
    const { step, world } = await instance('S3_ALIAS_HOST=x.example\n')
    const { installation } = world.place
    const settings = new Map([['S3_ALIAS_HOST', { value: 'x.example', from }]])
    const envFile = { ...installation.envFile, writable }
    const place = { ...world.place, installation: { ...installation, settings, envFile } }
    expect(found(await step.look({ ...world, place }))).toBe(`blocked ${code}`)
  })
})

describe('a compose file that names the line', () => {
  const NAME = 'S3_ALIAS_HOST'
  const composed = async (fillIn: (own: string) => string) => {
    const reading = (own: string) => {
      const settings = new Map([[NAME, { value: fillIn(own), from: '/srv/docker-compose.yml' }]])
      const service = { name: 'web', role: 'web' as const, envFiles: [ENV], settings }
      return { kind: 'docker' as const, settings, services: [service] }
    }
    const { step, world } = await instance('', reading(''))
    const preview = async (envFile: EnvFileOnDisk, text: string) => {
      const own = new RegExp(`^${NAME}=(.*)$`, 'm').exec(text)?.[1] ?? ''
      return installationOf({ ...reading(own), envFile, envFiles: [envFile] })
    }
    return found(await step.look({ ...world, envWriter: { ...world.envWriter, preview } }))
  }

  it('and fills it in from the env file is no hindrance', async () => {
    expect(await composed((own) => own)).toContain(`+ ${NAME}=${HOST}`)
  })

  it('and gives a service another one is', async () => {
    expect(await composed(() => 'x.example')).toBe('blocked env-file-not-read')
  })
})

describe('announcing', () => {
  it('writes, reloads, waits for the page, and tells the date from then on', async () => {
    const { step, world, state, ran } = await instance('')
    await step.change?.(world)
    expect([state.env, ran]).toEqual([
      `# Added by mastodon-r2\nS3_ALIAS_HOST=${HOST}\n`,
      ['systemctl reload web'],
    ])
    expect(checkpoint.held?.announcedAt).toMatch(/^2026-11-22T10/)
    const finding = await step.look(world)
    expect(found(finding)).toBe(
      `ready the pages name ${HOST} since 2026-11-22; a switch is safe from 2026-11-29`,
    )
    expect(warningsOf(finding)).toEqual([])
  })

  it('a prepared file is not written again', async () => {
    const { step, world, state } = await instance(prepared)
    await step.change?.(world)
    expect(state.env).toBe(prepared)
  })

  it('a page that never names the host is told, and nothing noted', async () => {
    const { step, world, state, clock, told } = await instance(prepared)
    state.reloads = false
    expect((await problemOf(step.change?.(world) as Promise<unknown>)).code).toBe('not-announced')
    expect(clock.slept).toBeGreaterThan(170_000)
    expect([checkpoint.held, told.length > 0]).toEqual([undefined, true])
  })

  it('a reload that fails is told with its line', async () => {
    const { step, world } = await instance(prepared)
    world.runner.result = () => ({ exitCode: 1, stderr: 'Unit not found.' })
    const problem = await problemOf(step.change?.(world) as Promise<unknown>)
    expect(problem.what).toBe('This failed: systemctl reload web')
  })

  it('without known services the lines are handed out', async () => {
    const { world } = await instance('')
    const step = announce({ checkpoint, tell: () => undefined }, { reload: undefined })
    expect(found(await step.look(world))).toBe(
      `later set S3_ALIAS_HOST=${HOST}, and restart Mastodon's web part`,
    )
  })
})
