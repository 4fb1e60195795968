import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../src/core/problem.ts'
import { type CutoverVariant, restartFor } from '../../../src/moving/quiet.ts'
import type { Outcome } from '../../../src/plan/apply.ts'
import { freshProcesses, restart } from '../../../src/setup/restart.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { problemOf } from '../../fakes/found.ts'
import { after, prepared, type Switching, switching } from './switching.ts'

type At = Awaited<ReturnType<typeof switching>>

const noteOf = (outcomes: readonly Outcome[], id: string) =>
  outcomes.find((outcome) => outcome.id === id)?.note ?? ''

/** Everything is as before: the file, what the services hold, and that they work. */
function expectOld(at: At) {
  expect(at.server.env).toBe(prepared)
  expect(at.server.holds).toEqual({ web: prepared, sidekiq: prepared })
  expect(at.server.mode).toEqual({ web: 'runs', sidekiq: 'runs' })
  expect(at.checkpoint.held?.switchedAt).toBeUndefined()
}

describe.each<[CutoverVariant, 'systemd' | 'docker']>([
  ['quiet', 'systemd'],
  ['no-downtime', 'systemd'],
  ['stop', 'systemd'],
  ['quiet', 'docker'],
  ['stop', 'docker'],
])('a fault, %s with %s', (variant, kind) => {
  const faults: Record<string, (at: At) => void> = {
    'in the last copy': (at) => at.failAt('copy-last'),
    'in writing the file': (at) => {
      at.world.envWriter.write = async () => {
        throw refusal('env-file-not-writable')
      }
    },
    'in the restart': (at) => {
      let failures = 1
      const starts = /restart|start|up -d/
      at.server.fate = (line) => (starts.test(line) && failures-- > 0 ? 'Job failed.' : undefined)
    },
    'in the upload': (at) => {
      at.s3.refuse = (verb) => (verb === 'put-parts' ? refusal('s3-500') : undefined)
    },
    'in the public read': (at) => {
      at.world.web.fetch = async () => {
        throw refusal('web-tls')
      }
    },
  }
  it.each(Object.keys(faults))('%s puts all back', async (name) => {
    const at = await switching({ variant, kind })
    faults[name]?.(at)
    const { problem, outcomes } = await at.run()
    expect(problem).toBeDefined()
    expectOld(at)
    expect(
      outcomes.filter(({ note }) => String(note).startsWith('could not be taken back')),
    ).toEqual([])
  })
})

describe('words', () => {
  it('a restart that fails says how things stand', async () => {
    const { world, cutover, server } = await switching()
    server.fate = () => 'no'
    const meanwhile = 'The env file goes back.'
    const wishes = { mode: 'run', commands: restartFor(cutover), assumeRestarted: false } as const
    const problem = await problemOf(
      restart({ ...wishes, meanwhile }).change?.(world) as Promise<unknown>,
    )
    expect(problem.why).toBe('It said: no. The env file goes back.')
  })

  it('processes run with a storage, not with a key', async () => {
    const { world } = await switching()
    const step = freshProcesses({ assumeRestarted: false, about: 'storage' })
    expect(await step.look(world)).toMatchObject({
      will: 'see that all of Mastodon runs with the new storage',
    })
  })
})

describe('Sidekiq', () => {
  it('that does not finish is woken, and nothing is switched', async () => {
    const at = await switching()
    at.server.jobs = 5_000
    const { problem } = await at.run()
    expect(problem?.code).toBe('sidekiq-busy')
    expect(
      at.told.some((line) =>
        /^Sidekiq has \d+ jobs left; seconds mostly, at most 10 min$/.test(line),
      ),
    ).toBe(true)
    expectOld(at)
  })

  it('that does not rest at all is told', async () => {
    const at = await switching()
    at.cutover.services.sidekiq = async () => [{ busy: 0, quiet: false }]
    const { problem } = await at.run()
    expect(problem?.what).toContain('1 of 1 Sidekiq processes did not go to rest')
    expect(at.writes).toEqual([])
  })

  it('that can’t be seen gets the time that it gives its jobs', async () => {
    const at = await switching()
    at.cutover.services.sidekiq = async () => undefined
    const { problem } = await at.run()
    expect(problem).toBeUndefined()
    expect(at.world.clock.slept).toBeGreaterThanOrEqual(25_000)
  })

  it('is woken when the person stops the run', async () => {
    const at = await switching()
    at.server.jobs = 5_000
    const sleep = () => Promise.reject(new Cancelled())
    Object.assign(at.world, { clock: { ...at.world.clock, sleep } })
    const { cancelled } = await at.run()
    expect(cancelled).toBe(true)
    expectOld(at)
  })

  it('that can’t be woken is told with the line', async () => {
    const at = await switching()
    at.failAt('copy-last')
    at.server.fate = (line) => (line.includes('restart') ? 'Access denied' : undefined)
    const { outcomes } = await at.run()
    expect(noteOf(outcomes, 'quiet')).toMatch(
      /could not be taken back: This failed: systemctl restart mastodon-sidekiq.service/,
    )
  })
})

describe('rollback', () => {
  const failing = async (more: Switching = {}) => {
    const at = await switching(more)
    at.s3.refuse = (verb) => (verb === 'put-parts' ? refusal('s3-500') : undefined)
    at.s3.time = at.world.clock.now()
    const put = (key: string, age: number) => {
      at.s3.objects.set(key, { body: Buffer.from(key), contentType: 'image/png', cacheControl: '' })
      at.s3.ages.set(key, at.s3.time?.getTime() ?? 0)
      at.s3.ages.set(key, at.world.clock.now().getTime() + age)
    }
    return { at, put }
  }

  it('brings what came in meanwhile, and nothing else', async () => {
    const { at, put } = await failing()
    put('media_attachments/new.png', 500)
    put('media_attachments/also-at-home.png', 500)
    put('media_attachments/old.png', -600_000)
    put('mastodon-r2-probe/x', 500)
    at.source.put('media_attachments/also-at-home.png', 'x', 0)
    const { outcomes } = await at.run()
    expect([...at.brought]).toEqual([['media_attachments/new.png', 'media_attachments/new.png']])
    expect(noteOf(outcomes, 'env-switch')).toContain(
      '1 file that came in meanwhile was fetched to /live/public/system.',
    )
    expectOld(at)
  })

  it('names what it can’t bring', async () => {
    const { at, put } = await failing()
    put('media_attachments/new.png', 500)
    Object.assign(at.cutover, { bringBack: undefined })
    const { outcomes } = await at.run()
    expect(noteOf(outcomes, 'env-switch')).toContain(
      'Only in the bucket example-media, and to be copied back by you: media_attachments/new.png.',
    )
  })

  it('says when the bucket can’t be looked through', async () => {
    const { at } = await failing()
    at.s3.refuse = (verb) =>
      verb === 'put-parts' || verb === 'page' ? refusal('s3-500') : undefined
    const { outcomes } = await at.run()
    expect(noteOf(outcomes, 'env-switch')).toContain('could not be looked through')
    expectOld(at)
  })

  it('leaves a file that someone else changed meanwhile, and says so; Sidekiq works', async () => {
    const { at } = await failing()
    at.server.fate = (line) => {
      if (line.includes('reload')) at.server.env = `${after}THEIRS=1\n`
      return undefined
    }
    const { outcomes } = await at.run()
    expect(at.server.env).toBe(`${after}THEIRS=1\n`)
    expect(noteOf(outcomes, 'env-switch')).toMatch(/changed by someone else.*\.backup/)
    expect(at.server.mode.sidekiq).toBe('runs')
  })

  it('that fails itself says what to type', async () => {
    const { at } = await failing()
    let restarts = 0
    at.server.fate = (line) => {
      restarts += line.includes('reload') ? 1 : 0
      return restarts > 1 ? 'no' : undefined
    }
    const { outcomes } = await at.run()
    expect(at.server.env).toBe(prepared)
    expect(noteOf(outcomes, 'env-switch')).toMatch(/could not be taken back: .*reload-or-restart/)
  })
})
