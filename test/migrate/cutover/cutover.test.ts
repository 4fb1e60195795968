import { describe, expect, it } from 'vitest'
import { cutoverOrder } from '../../../src/migrate/cutover/cutover.ts'
import type { CutoverVariant } from '../../../src/moving/quiet.ts'
import { survey } from '../../../src/plan/survey.ts'
import type { Checkpoint } from '../../../src/services/checkpoint/port.ts'
import type { Installation } from '../../../src/services/mastodon/port.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { installationOf } from '../../fakes/fake-world.ts'
import { found, warningsOf } from '../../fakes/found.ts'
import { after, complete, prepared, switching } from './switching.ts'

const sidekiq = 'mastodon-sidekiq.service'
const [web, renewWeb] = ['mastodon-web.service', 'systemctl reload-or-restart mastodon-web.service']
const up = 'docker compose up -d --no-deps --force-recreate sidekiq web'

describe('the plan', () => {
  it('has its steps in the order in which nothing is lost', async () => {
    const { steps } = await switching()
    const places = steps.map(({ id }) => (cutoverOrder as readonly string[]).indexOf(id))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).not.toContain(-1)
  })

  it.each<[string, Partial<Checkpoint>, string, string[]]>([
    ['copied and announced', {}, 'ready', []],
    ['nothing copied', { completeSince: undefined }, 'blocked copy-missing', []],
    ['a file failed', { failed: [{ key: 'a', reason: '403' }] }, 'blocked copy-failed', []],
    ['announced just now', { announcedAt: '2026-11-20T00:00:00.000Z' }, 'ready', ['2026-11-27']],
    [
      'never announced',
      { announcedAt: undefined },
      'ready',
      ['migrate --mastodon-env E --stage announce'],
    ],
  ])('%s', async (_, more, expected, warned) => {
    const at = await switching()
    at.checkpoint.held = { ...complete, ...more }
    const finding = await at.steps[0]?.look(at.world)
    expect(found(finding)).toMatch(new RegExp(`^${expected}`))
    const warnings = (finding && warningsOf(finding)) ?? []
    expect(warnings).toEqual(warned.map((part) => expect.stringContaining(part)))
  })

  it('is refused where services are not known, and where the bucket does not open', async () => {
    const at = await switching()
    at.s3.refuse = () => refusal('s3-403')
    expect((await survey(at.steps, at.world)).items[0]?.finding).toMatchObject({
      problem: { code: 's3-403' },
    })
    Object.assign(at.cutover.services, { commands: undefined })
    expect(found(await at.steps[0]?.look(at.world))).toBe('blocked cutover-by-hand')
  })

  it('is refused where a service would not take the settings', async () => {
    const settings = new Map([['S3_ENABLED', { value: 'false', from: '/etc/pull.env' }]])
    const pull = { name: 'mastodon-sidekiq@pull', role: 'sidekiq', envFiles: [], settings }
    const services = [pull] as unknown as NonNullable<Installation['services']>
    const { steps, world } = await switching({ installation: { services } })
    world.envWriter.preview = async () => installationOf({ services })
    const step = steps.find(({ id }) => id === 'env-switch')
    const finding = await step?.look(world)
    expect(finding).toMatchObject({ is: 'blocked', problem: { code: 'env-file-not-read' } })
  })

  it('tells that containers are made anew', async () => {
    const { steps, world } = await switching({ kind: 'docker' })
    const finding = await steps[0]?.look(world)
    expect(finding && warningsOf(finding).join()).toContain('web part is away')
  })

  it('tells of a Sidekiq that an earlier run left at rest', async () => {
    const at = await switching()
    at.server.mode.sidekiq = 'rests'
    const finding = await at.steps[0]?.look(at.world)
    expect(finding && warningsOf(finding).join()).toContain(`systemctl restart ${sidekiq}`)
  })

  it('tells of services that an earlier run left stopped', async () => {
    const at = await switching()
    at.server.mode = { web: 'stopped', sidekiq: 'stopped' }
    const finding = await at.steps[0]?.look(at.world)
    expect(finding && warningsOf(finding).join()).toContain(
      'both as the env file stands: systemctl start',
    )
  })

  it('tells the exact sequence before anything runs', async () => {
    const { steps, world, server } = await switching()
    const plan = await survey(steps, world)
    const told = plan.items.map(({ id, finding }) => [
      id,
      finding.is === 'waiting' ? `will ${finding.will}` : found(finding),
    ])
    expect(Object.fromEntries(told)).toMatchObject({
      'ready-to-switch': expect.stringMatching(
        /^ready the media was copied \(2026-11-20\); Sidekiq/,
      ),
      quiet: `change [public] run: systemctl kill -s TSTP --kill-who=main ${sidekiq}, and wait until its jobs are done (at most 10 min)`,
      'env-switch': expect.stringMatching(/switch .*\.env\.production to R2.*S3_ENABLED=true/),
      restart: `will run: systemctl restart ${sidekiq} && ${renewWeb} (requests wait while Rails boots; 12 to 33 s were seen)`,
      switched: expect.stringContaining('will keep the switch'),
    })
    expect([server.env, world.runner.ran]).toEqual([prepared, []])
    expect(JSON.stringify(plan)).not.toContain('2'.repeat(64))
  })
})

describe('a switch', () => {
  const quietAll = `systemctl kill -s TSTP --kill-who=main ${sidekiq}`
  it.each<[CutoverVariant, 'systemd' | 'docker', string[], string]>([
    ['quiet', 'systemd', [quietAll, `systemctl restart ${sidekiq}`, renewWeb], 'rests'],
    ['no-downtime', 'systemd', [`systemctl restart ${sidekiq}`, renewWeb], 'runs'],
    [
      'stop',
      'systemd',
      [`systemctl stop ${web} ${sidekiq}`, `systemctl start ${sidekiq} ${web}`],
      'stopped',
    ],
    ['quiet', 'docker', ['docker compose kill -s TSTP sidekiq', up], 'rests'],
    ['stop', 'docker', ['docker compose stop web sidekiq', up], 'stopped'],
  ])('%s with %s', async (variant, kind, ran, resting) => {
    const at = await switching({ variant, kind })
    const { problem, outcomes, facts } = await at.run()
    expect(problem).toBeUndefined()
    expect(at.world.runner.ran.map((line) => line.replace(' (in /live)', ''))).toEqual(ran)
    expect(at.server.env).toBe(after)
    expect(at.server.holds).toEqual({ web: after, sidekiq: after })
    expect(at.server.mode).toEqual({ web: 'runs', sidekiq: 'runs' })
    expect(outcomes.find(({ id }) => id === 'copy-last')?.changes).toEqual([
      { what: `copy-last with Sidekiq ${resting}`, risk: 'safe' },
    ])
    expect(at.checkpoint.held).toMatchObject({
      ...JSON.parse(JSON.stringify(complete)),
      switchedAt: facts.switched?.at.toISOString(),
      runsSince: facts.switched?.at.toISOString(),
    })
    expect([...at.s3.objects.keys()]).toEqual([])
  })

  it('is carried out once: a second run changes no file and rests nothing twice', async () => {
    const first = await switching()
    await first.run()
    const again = await switching({ text: after })
    const changedAt = again.world.processes.fileChangedAt?.getTime() ?? 0
    again.world.processes.list = (['web', 'sidekiq'] as const).map((role) => ({
      role,
      name: role,
      startedAt: new Date(changedAt + 9_000),
    }))
    const { problem } = await again.run()
    expect([problem, again.writes, again.world.runner.ran]).toEqual([undefined, [], []])
    expect(again.server.mode.sidekiq).toBe('runs')
  })

  it('goes on where it was killed after the file was written', async () => {
    const at = await switching({ text: after })
    Object.assign(at.server.holds, { web: prepared, sidekiq: prepared })
    at.server.mode.sidekiq = 'rests'
    const { problem, warnings } = await at.run()
    expect(problem).toBeUndefined()
    expect(warnings.join()).toContain('names R2 already')
    expect(at.server.holds).toEqual({ web: after, sidekiq: after })
    expect(at.server.mode.sidekiq).toBe('runs')
  })

  it('a switch that could not be noted stays', async () => {
    const at = await switching()
    at.checkpoint.refuse = () => refusal('checkpoint-not-writable')
    const { problem } = await at.run()
    expect([problem, at.server.env]).toEqual([undefined, after])
    expect(at.said.join()).toContain('could not be noted')
  })

  it('what fails after the proof takes nothing back', async () => {
    const at = await switching()
    at.failAt('copy-after')
    const { problem } = await at.run()
    expect(problem?.code).toBe('fault-copy-after')
    expect(at.server.env).toBe(after)
    expect(at.server.mode.sidekiq).toBe('runs')
  })
})

describe('another provider', () => {
  const other = `LOCAL_DOMAIN=example.com\nS3_ENABLED=true\nS3_BUCKET=old\nS3_ALIAS_HOST=old.example.net\nS3_ENDPOINT=https://s3.example.net\nAWS_ACCESS_KEY_ID=OLD\nAWS_SECRET_ACCESS_KEY=OLDSECRET\nS3_SIGNATURE_VERSION=v2\n`

  it('gives way, its host stays allowed, what hinders is commented out', async () => {
    const at = await switching({ text: other })
    expect((await at.run()).problem).toBeUndefined()
    const lines = at.server.env.split('\n')
    for (const line of [
      'S3_BUCKET=example-media',
      'S3_ALIAS_HOST=files.example.com',
      'EXTRA_MEDIA_HOSTS=https://old.example.net',
      '# S3_SIGNATURE_VERSION=v2',
      'S3_PERMISSION=',
    ]) {
      expect(lines).toContain(line)
    }
  })

  it('an older Mastodon can’t allow it: said, and not written', async () => {
    const at = await switching({ text: other, installation: { version: '4.3.9' } })
    const { problem, warnings } = await at.run()
    expect(problem).toBeUndefined()
    expect(at.server.env).not.toContain('EXTRA_MEDIA_HOSTS')
    expect(warnings.join()).toContain('old.example.net')
  })

  it('comes back byte for byte', async () => {
    const at = await switching({ text: other })
    at.server.fate = (line) => (line.includes('reload') ? 'no' : undefined)
    await at.run()
    expect(at.server.env).toBe(other)
  })

  it.each([
    ['a unit that sets the bucket', 'S3_BUCKET', 'mine', 'env-file-shadowed'],
    ['a unit that sets what hinders', 'S3_KEY_PREFIX', 'x', 'env-file-hindered'],
  ])('%s is seen before anything rests', async (_, name, value, code) => {
    const at = await switching()
    const { installation } = at.world.place
    const settings = new Map(installation.settings)
    settings.set(name, { value, from: 'systemd unit mastodon-web.service' })
    const place = { ...at.world.place, installation: { ...installation, settings } }
    const plan = await survey(at.steps, { ...at.world, place })
    expect(found(plan.items.find(({ id }) => id === 'env-switch')?.finding)).toBe(`blocked ${code}`)
  })
})
