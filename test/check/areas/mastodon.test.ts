import { describe, expect, it } from 'vitest'
import { mastodonChecks } from '../../../src/check/areas/mastodon.ts'
import { Problem } from '../../../src/core/problem.ts'
import type { Installation, ServiceReading } from '../../../src/services/mastodon/port.ts'
import { at, CSP, page, type Situation, worldOf } from './mastodon-world.ts'
import { ENV } from './reading.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

const look = (situation?: Situation) => verdictsOf(mastodonChecks, worldOf(situation))
const unreachable = new Problem({ code: 'web-dns', what: 'No such host.', why: '', next: 'dig' })

it('a healthy server has no trouble', async () => {
  const checked = await look()
  expect(troubles(checked)).toEqual([])
  expect(checked.map(({ id }) => id)).toEqual(mastodonChecks.map(({ id }) => id))
})

describe('versions', () => {
  it.each<
    [version: string | undefined, env: Record<string, string>, trouble: string, word: string]
  >([
    ['4.0.2', {}, 'fault', 'older than 4.1.2'],
    ['4.1.2rc1', {}, 'fault', 'archives can not be made'],
    ['4.1.2', {}, 'fault', 'Video and audio fail'],
    ['4.2.0-beta1', {}, 'fault', 'older than 4.2.0'],
    ['4.2.0', {}, '', 'ok: 4.2.0'],
    ['4.3.1+glitch', { EXTRA_MEDIA_HOSTS: 'https://a.test' }, 'warning', 'EXTRA_MEDIA_HOSTS'],
    ['4.3.1+glitch', {}, '', 'ok: 4.3.1+glitch'],
    ['4.4.0', { EXTRA_MEDIA_HOSTS: 'https://a.test' }, '', 'ok: 4.4.0'],
    ['4.5.9', {}, '', 'ok: 4.5.9'],
    ['4.6.0', {}, '', 'CRC32'],
    ['4.10.0', {}, '', 'CRC32'],
    [undefined, {}, '', 'skipped: Mastodon tells no version'],
  ])('%s with %o', async (version, env, trouble, word) => {
    const checked = await look({ env, installation: { version } })
    expect(troubles(checked)).toEqual(trouble === '' ? [] : [`mastodon-version ${trouble}`])
    expect(wordsOf(checked, 'mastodon-version')).toContain(word)
  })
})

describe('the page’s policy', () => {
  const without = (directive: string) =>
    CSP.replace(new RegExp(`(${directive}[^;]*) https://files.social.test`), '$1')
  const policies = (...values: string[]) => ({
    headers: values.map((value) => ['content-security-policy', value] as const),
  })

  it.each<[what: string, page: Situation['pages'] | string, trouble: string, word: string]>([
    ['all of it', CSP, '', 'names files.social.test'],
    ['no images', without('img-src'), 'fault', 'in img-src.'],
    ['no players', without('media-src'), 'fault', 'media-src'],
    ['no scripts', without('connect-src'), 'fault', 'systemctl restart mastodon-web.service'],
    ['only a default', "default-src 'self' https:", '', ''],
    ['a default that refuses', "default-src 'self'", 'fault', 'img-src, media-src, connect-src'],
    ['a wildcard', 'default-src *.social.test', '', ''],
    ['a wildcard of another', 'default-src *.other.test', 'fault', ''],
    ['a port', 'default-src https://files.social.test:443', '', ''],
    ['another port', 'default-src https://files.social.test:8443', 'fault', ''],
    ['a path', 'default-src https://files.social.test/media/', 'fault', ''],
    ['no limit', "frame-ancestors 'none'", '', ''],
    ['two policies in a line', `${CSP}, default-src 'self'`, 'fault', 'Two policies'],
    [
      'two headers',
      { 'https://social.test/': policies(CSP, "img-src 'self'") },
      'fault',
      'in img-src.',
    ],
    ['none at all', { 'https://social.test/': {} }, 'note', 'sends no'],
    ['an error', { 'https://social.test/': { status: 502 } }, 'note', 'status 502'],
    ['nothing', { 'https://social.test/': unreachable }, 'note', 'No such host.'],
    [
      'a redirect',
      {
        'https://social.test/': { status: 302, headers: [['location', '/explore']] },
        'https://social.test/explore': page(without('img-src')),
      },
      'fault',
      'https://social.test/explore',
    ],
    [
      'redirects for ever',
      { 'https://social.test/': { status: 302, headers: [['location', '/']] } },
      'note',
      'sends no',
    ],
  ])('with %s', async (_, pages, trouble, word) => {
    const all = typeof pages === 'string' ? { 'https://social.test/': page(pages) } : pages
    const checked = await look(all === undefined ? {} : { pages: all })
    expect(troubles(checked)).toEqual(trouble === '' ? [] : [`instance-csp ${trouble}`])
    expect(wordsOf(checked, 'instance-csp')).toContain(word)
  })

  it('is read where people open Mastodon', async () => {
    const pages = { 'https://web.social.test/': page("default-src 'self'") }
    const checked = await look({ pages, env: { WEB_DOMAIN: 'web.social.test' } })
    expect(troubles(checked)).toEqual(['instance-csp fault'])
  })

  it.each<[policy: string | undefined, trouble: string[]]>([
    [undefined, []],
    [CSP, []],
    ["default-src 'self'", ['service-worker-csp warning']],
  ])('of the service worker: %s', async (policy, trouble) => {
    const worker = policy === undefined ? {} : page(policy)
    const pages = { 'https://social.test/': page(CSP), 'https://social.test/sw.js': worker }
    const checked = await look({ pages })
    expect(troubles(checked)).toEqual(trouble)
    if (trouble.length > 0) expect(wordsOf(checked, 'service-worker-csp')).toContain('2026-11-29')
  })
})

describe('running processes', () => {
  const web = { role: 'web', name: 'mastodon-web.service', startedAt: at(9) } as const
  const sidekiq = { role: 'sidekiq', name: 'mastodon-sidekiq.service', startedAt: at(9) } as const
  const push = { ...sidekiq, name: 'mastodon-sidekiq@push.service', startedAt: at(7) }
  const below = { startedAt: at(1), workers: 1, spreadMs: 0 }
  const within = (second: Date, ms: number) => new Date(second.getTime() + ms)

  it.each<[what: string, situation: Situation, troubles: string[], words: string[]]>([
    [
      'an old queue beside a young one',
      { running: [web, sidekiq, push] },
      ['fault'],
      [
        'mastodon-sidekiq@push.service is running with old settings: started 2026-11-22 07:00:00 UTC',
        'sudo systemctl restart mastodon-sidekiq@push.service',
      ],
    ],
    [
      'an old Puma',
      { running: [{ ...web, startedAt: at(7), below: { ...below, workers: 2 } }, sidekiq] },
      ['fault'],
      ['sudo systemctl reload-or-restart mastodon-web.service'],
    ],
    [
      'an old Puma without workers, which keeps its start time over a reload',
      { running: [{ ...web, startedAt: at(7) }, sidekiq] },
      ['warning'],
      [
        'may be running with old settings: it started 2026-11-22 07:00:00 UTC',
        'sudo systemctl restart mastodon-web.service',
      ],
    ],
    [
      'old ones without a unit',
      { running: [web, { ...sidekiq, name: 'pid 12', startedAt: at(7) }] },
      ['fault'],
      ['sudo systemctl restart mastodon-sidekiq.service'],
    ],
    [
      'Sidekiq began in the second in which the file changed',
      { running: [web, { ...sidekiq, startedAt: at(8) }], changed: { [ENV]: within(at(8), 999) } },
      ['warning'],
      ['may be running with old settings: it started in the second in which', 'restart'],
    ],
    [
      'Sidekiq began a second before the file changed',
      { running: [web, { ...sidekiq, startedAt: at(8) }], changed: { [ENV]: within(at(8), 1000) } },
      ['fault'],
      ['is running with old settings'],
    ],
    [
      'one young worker below an old Puma',
      { running: [{ ...web, below }, sidekiq] },
      ['warning'],
      ['may be running', 'sudo systemctl restart mastodon-web.service'],
    ],
    [
      'reloaded workers below an old Puma',
      { running: [{ ...web, below: { ...below, workers: 2 } }, sidekiq] },
      [],
      ['2 processes'],
    ],
    [
      'a Puma that systemd hands its settings to: a reload is none',
      { running: [{ ...web, startedAt: at(7), isHanded: true }, sidekiq] },
      ['fault'],
      ['a reload does not change that', 'sudo systemctl restart mastodon-web.service'],
    ],
    [
      'a unit that was changed since',
      {
        running: [web, sidekiq],
        changed: { [ENV]: at(8), '/etc/systemd/system/web.service.d/a.conf': at(10) },
        installation: { unitFiles: ['/etc/systemd/system/web.service.d/a.conf'] },
      },
      ['fault', 'fault'],
      [
        'web.service.d/a.conf changed 2026-11-22 10:00:00 UTC',
        'sudo systemctl daemon-reload && sudo systemctl restart mastodon-web.service',
      ],
    ],
    ['no Sidekiq', { running: [web] }, ['warning'], ['systemctl start mastodon-sidekiq.service']],
    [
      'Sidekiq elsewhere',
      {
        running: [web],
        installation: { units: { web: ['mastodon-web.service'], sidekiq: [] } },
      },
      ['note'],
      ['another machine'],
    ],
    ['nothing', { running: [] }, ['warning'], ['No process']],
    ['nothing, and no kind', { running: [], installation: { kind: 'none' } }, [], ['skipped']],
    ['what can not be seen', { running: undefined }, [], ['skipped']],
    ['no file', { changed: {} }, [], ['skipped']],
    [
      'containers older than the compose file',
      {
        installation: { kind: 'docker', dir: '/opt/mastodon', composeFile: '/opt/mastodon/c.yml' },
        changed: { [ENV]: at(5), '/opt/mastodon/c.yml': at(8) },
        running: [
          { ...web, name: 'container web-1', startedAt: at(7) },
          { ...sidekiq, name: 'container sidekiq-1' },
        ],
      },
      ['fault'],
      [
        ...['web-1 is running with old', 'created'],
        'cd /opt/mastodon && docker compose up -d --no-deps --force-recreate sidekiq web',
      ],
    ],
  ])('%s', async (_, situation, expected, words) => {
    const checked = await look(situation)
    const own = troubles(checked).filter((one) => one.startsWith('running-settings'))
    expect(own).toEqual(expected.map((severity) => `running-settings ${severity}`))
    for (const word of words) expect(wordsOf(checked, 'running-settings')).toContain(word)
  })
})

describe('services', () => {
  const text = 'S3_BUCKET=a\nOTHER=x\n'
  const service = (name: string, values: Record<string, string>, envFiles = [ENV]) => {
    const settings = Object.entries(values).map(([key, value]) => [key, { value, from: ENV }])
    const role = name.includes('web') ? 'web' : 'sidekiq'
    return { name, role, envFiles, settings: new Map(settings as []) } as ServiceReading
  }
  const bucket = { S3_BUCKET: 'a' }
  const docker = {
    kind: 'docker',
    dir: '/opt/mastodon',
    composeFile: '/opt/mastodon/c.yml',
  } as const
  const refused = { files: [], variableFiles: [], refused: ['services.web: no'], unread: [] }

  it.each<[what: string, services: ServiceReading[], more: Partial<Installation>, words: string[]]>(
    [
      ['alike', [service('web', bucket), service('sidekiq', bucket)], docker, []],
      [
        'Sidekiq gets no file',
        [service('web', bucket), service('sidekiq', {}, [])],
        docker,
        ['does not hand S3_BUCKET on to sidekiq', 'below "sidekiq:"', `env_file: ${ENV}`],
      ],
      [
        'none gets a file',
        [service('web', {}, []), service('sidekiq', {}, [])],
        docker,
        ['below "web:"', 'below "sidekiq:"', 'docker compose up -d'],
      ],
      ['all in environment', [service('web', bucket, [])], docker, []],
      [
        'another bucket',
        [service('web', bucket), service('sidekiq', { S3_BUCKET: 'b' })],
        docker,
        ['gives sidekiq another S3_BUCKET', 'of sidekiq: S3_BUCKET in'],
      ],
      [
        'what others are given alone',
        [service('web', { ...bucket, S3_READ_TIMEOUT: '9' }), service('sidekiq', bucket)],
        {
          ...docker,
          settings: new Map([
            ['S3_BUCKET', { value: 'a', from: ENV }],
            ['S3_READ_TIMEOUT', { value: '9', from: '/opt/c.yml' }],
          ]),
        },
        [
          'does not hand S3_READ_TIMEOUT on to sidekiq.',
          'Give these to all of Mastodon, or to none:',
          'S3_READ_TIMEOUT, which stands in /opt/c.yml, is not given to sidekiq',
        ],
      ],
      [
        'a unit with a drop-in',
        [
          service('mastodon-web.service', bucket),
          service('mastodon-sidekiq@pull.service', { ...bucket, S3_ENABLED: 'false' }),
        ],
        {},
        ['mastodon-sidekiq@pull.service would run without this S3_ENABLED', 'systemctl edit'],
      ],
      [
        'what compose refuses',
        [service('web', bucket)],
        { ...docker, compose: refused },
        ['Docker Compose refuses /opt/mastodon/c.yml: services.web: no.'],
      ],
    ],
  )('%s', async (_, services, more, words) => {
    const file = { path: ENV, realPath: ENV, exists: true, text, mode: 0o600, writable: true }
    const settings = new Map([['S3_BUCKET', { value: 'a', from: ENV }]])
    const checked = await look({ installation: { services, envFile: file, settings, ...more } })
    const own = troubles(checked).filter((one) => one.startsWith('service-settings'))
    expect(own).toEqual(words.length > 0 ? ['service-settings fault'] : [])
    for (const word of words) expect(wordsOf(checked, 'service-settings')).toContain(word)
  })

  it('what only compose can read is a warning', async () => {
    const compose = { ...refused, refused: [], unread: ['include: https://a.test/x.git'] }
    const services = [service('web', {})]
    const settings = new Map()
    const checked = await look({ installation: { ...docker, services, compose, settings } })
    expect(wordsOf(checked, 'service-settings')).toContain('include: https://a.test/x.git')
  })
})

describe('old links', () => {
  const media = { root: '/m', files: 3, more: false, readable: true }
  const key = 'accounts/avatars/1/original/a.png'
  const old = `https://social.test/system/${key}`

  it.each<[what: string, situation: Situation, trouble: string[], word: string]>([
    ['no key to try', {}, [], 'skipped'],
    ['no redirect', { keys: [key] }, ['old-links note'], old],
    [
      'a redirect',
      {
        keys: [key],
        pages: {
          'https://social.test/': page(CSP),
          [old]: { status: 301, headers: [['location', `https://files.social.test/${key}`]] },
        },
      },
      [],
      'leads to',
    ],
    [
      'served here',
      { keys: [key], pages: { 'https://social.test/': page(CSP), [old]: {} } },
      [],
      'still served',
    ],
  ])('%s', async (_, situation, trouble, word) => {
    const checked = await look({ ...situation, installation: { media } })
    expect(troubles(checked)).toEqual(trouble)
    expect(wordsOf(checked, 'old-links')).toContain(word)
  })
})
