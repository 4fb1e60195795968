import { describe, expect, it } from 'vitest'
import { toType } from '../../src/core/to-type.ts'
import type { Report } from '../../src/plan/report.ts'
import type { Facts, Setup } from '../../src/plan/step.ts'
import type { Installation } from '../../src/services/mastodon/port.ts'
import { initClosing } from '../../src/setup/closing.ts'
import type { Freshness } from '../../src/setup/restart.ts'
import { ENV, envFileOf, installationOf, printing, setupOf } from '../fakes/fake-world.ts'

const again = toType('init', { mediaHost: 'files.example.com', yes: true })
const changed: Facts['envWritten'] = {
  file: ENV,
  backup: `${ENV}.backup`,
  changed: ['S3_BUCKET'],
  diff: ['- S3_BUCKET=old', '+', '+ S3_BUCKET=example-media'],
}
const problem = { code: 'x', what: 'No.', why: 'So.', next: 'Go.' }

interface Ending {
  readonly statuses?: Report['steps'][number]['status'][]
  readonly report?: Partial<Report>
  readonly setup?: Partial<Setup>
  readonly token?: Partial<Facts['token']>
  readonly written?: Facts['envWritten'] | undefined
  readonly isRehearsal?: boolean
  readonly isHostChange?: boolean
  readonly freshness?: Freshness
}

function close({ statuses = ['changed'], report, setup, token, ...more }: Ending) {
  const written = 'written' in more ? more.written : changed
  const steps = statuses.map((status) => ({
    id: 's',
    title: 'Step',
    status,
    note: '',
    changes: [],
  }))
  const closing = initClosing({
    report: { dryRun: false, problem: null, steps, ...report } as Report,
    facts: {
      token: { id: 'x', kind: 'account', status: 'active', ...token },
      ...(written && { envWritten: written }),
    },
    plan: undefined,
    left: [],
    setup: setupOf(setup),
    again,
    isRehearsal: more.isRehearsal ?? false,
    isHostChange: more.isHostChange ?? false,
    freshness: more.freshness,
    toMigrate: toType('migrate', { mastodonDir: '/srv/mastodon' }),
  })
  const lines = closing.sections.flatMap((section) => [section.title, ...section.lines])
  return { headline: closing.headline, text: lines.join('\n') }
}

const kept: Facts['envWritten'] = { file: ENV, backup: undefined, changed: [], diff: [] }
const old: Freshness = { is: 'old', names: ['mastodon-web.service', 'mastodon-sidekiq.service'] }
const unseen: Freshness = { is: 'unseen', why: 'no web', hidden: false }
const fresh: Freshness = { is: 'fresh', since: new Date(0), count: 2 }
const secondRun = { statuses: ['ready', 'ready'], written: kept } satisfies Ending

const forbidden = { ...printing, reason: 'you are not allowed to write it' }
const installed = (more: Partial<Installation>): Ending => ({
  setup: { installation: installationOf(more) },
})

describe('the headline of init', () => {
  it.each<[string, Ending, string]>([
    ['set up', {}, 'R2 is ready and proven.'],
    ['again', { statuses: ['ready', 'ready'] }, 'All is set up already; nothing was changed.'],
    [
      'planned',
      { report: { dryRun: true }, statuses: ['would-change'] },
      'That is the plan. Nothing was changed.',
    ],
    ['printed', { setup: { target: printing } }, 'R2 is ready; the settings are printed above.'],
    [
      'prepared',
      { setup: { storage: 'prepare' } },
      'R2 is ready and proven; Mastodon still stores media where it did.',
    ],
    [
      'blocked',
      { report: { problem }, statuses: ['ready', 'blocked', 'would-change'] },
      'Nothing was changed.',
    ],
    [
      'failed at once',
      { report: { problem }, statuses: ['ready', 'failed', 'skipped'] },
      'Not finished.',
    ],
    [
      'failed later',
      { report: { problem }, statuses: ['changed', 'failed'] },
      'Not finished; 1 step done stays done.',
    ],
    [
      'failed late',
      { report: { problem }, statuses: ['changed', 'changed', 'failed'] },
      'Not finished; 2 steps done stay done.',
    ],
  ])('%s', (_, ending, headline) => {
    expect(close(ending).headline).toBe(headline)
  })
})

describe('what init says at the end', () => {
  it('the masked diff, the backup, and the command that repeats it', () => {
    const { text } = close({})
    expect(text).toContain(`Changed in ${ENV}\n  - S3_BUCKET=old\n  + S3_BUCKET=example-media\n`)
    expect(text).toContain(`The file as it was: ${ENV}.backup`)
    expect(text).toContain(`  ${again}`)
    expect(close({ written: { ...changed, backup: undefined } }).text).not.toContain('as it was')
    expect(close({ written: { ...changed, diff: [] } }).text).not.toContain('Changed in')
  })

  it.each<[string, Ending, string[]]>([
    [
      'systemd',
      {},
      [
        '  sudo systemctl restart mastodon-sidekiq.service',
        '  sudo systemctl reload mastodon-web.service',
        'Requests wait while Rails boots; 12 to 33 s were seen.',
      ],
    ],
    [
      'several units',
      installed({ units: { web: ['w1', 'w2'], sidekiq: ['mastodon-sidekiq@1.service', 's2'] } }),
      ['  sudo systemctl restart mastodon-sidekiq@1.service s2', '  sudo systemctl reload w1 w2'],
    ],
    [
      'a Puma without workers',
      installed({ pumaWorkers: false }),
      [
        '  sudo systemctl restart mastodon-sidekiq.service mastodon-web.service',
        'Pages are away while Rails boots; 12 to 33 s were seen.',
      ],
    ],
    [
      'units unknown',
      installed({ units: { web: [], sidekiq: [] } }),
      ["  sudo systemctl restart 'mastodon-sidekiq*'", '  sudo systemctl reload mastodon-web'],
    ],
    [
      'Docker',
      installed({ kind: 'docker', dir: '/opt/mastodon' }),
      ['  cd /opt/mastodon && docker compose up -d --no-deps --force-recreate sidekiq web'],
    ],
    [
      'Docker, a blank in the path',
      installed({ kind: 'docker', dir: '/srv/my media' }),
      ["  cd '/srv/my media' && docker compose up -d --no-deps --force-recreate sidekiq web"],
    ],
  ])('how to restart: %s', (_, ending, lines) => {
    const { text } = close(ending)
    for (const line of lines) expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('docker compose restart\n')
  })

  it.each<[string, Ending]>([
    ['nothing changed', { statuses: ['ready'], written: undefined }],
    ['only planned', { report: { dryRun: true }, statuses: ['would-change'] }],
    [
      'failed before the file',
      { report: { problem }, statuses: ['changed', 'failed'], written: undefined, freshness: old },
    ],
    ['only prepared', { setup: { storage: 'prepare' } }],
  ])('no restart when %s', (_, ending) => {
    expect(close(ending).text).not.toContain('systemctl')
  })

  it.each([
    ['account', '?to=/:account/api-tokens'],
    ['user', '/profile/api-tokens'],
  ] as const)('delete the token of the %s', (kind, place) => {
    expect(close({ token: { kind } }).text).toContain(place)
    expect(close({ token: { kind }, setup: { storage: 'prepare' } }).text).toContain(place)
  })

  it('until when the token is good', () => {
    expect(close({}).text).toContain('it never expires')
    expect(close({ token: { expiresOn: '2026-12-01' } }).text).toContain('valid until 2026-12-01')
  })

  it('a rehearsal says so, and gives no command that would need the sandbox', () => {
    for (const ending of [{}, { report: { dryRun: true } }] as Ending[]) {
      const { text } = close({ ...ending, isRehearsal: true })
      expect(text).toContain('That was a rehearsal')
      expect(text).not.toContain(again)
      expect(text).not.toContain('api-tokens')
    }
  })
})

describe('a restart is left until it was seen', () => {
  const unless = ', unless you have restarted it since'
  const failed = { report: { problem }, statuses: ['ready', 'failed'] } satisfies Ending

  it.each<[string, Ending, { unless: boolean }]>([
    ['a second run, processes of before', { ...secondRun, freshness: old }, { unless: false }],
    ['a second run, nothing seen', { ...secondRun, freshness: unseen }, { unless: true }],
    [
      'something else was done',
      { statuses: ['changed', 'ready'], written: kept, freshness: old },
      { unless: false },
    ],
    [
      'only planned, and nothing to do',
      { ...secondRun, report: { dryRun: true }, freshness: old },
      { unless: false },
    ],
    [
      'failed after the file was written',
      { report: { problem }, statuses: ['changed', 'failed'] },
      { unless: false },
    ],
    ['failed again behind it', { ...failed, written: kept, freshness: unseen }, { unless: true }],
  ])('%s', (_, ending, expected) => {
    const { text } = close(ending)
    expect(text).toContain('sudo systemctl restart mastodon-sidekiq.service')
    expect(text).toContain('Restart Mastodon, so that it uses the settings')
    expect(text.includes(unless)).toBe(expected.unless)
  })

  it.each<[string, Ending]>([
    ['all were seen to be younger than the file', { ...secondRun, freshness: fresh }],
    [
      'something else was done, and all are younger',
      { statuses: ['changed', 'ready'], written: kept, freshness: fresh },
    ],
    ['failed, and all are younger', { ...failed, written: kept, freshness: fresh }],
    [
      'the file is only planned',
      { statuses: ['would-change'], report: { dryRun: true }, written: undefined, freshness: old },
    ],
    [
      'something is planned',
      {
        statuses: ['ready', 'would-change'],
        report: { dryRun: true },
        written: kept,
        freshness: old,
      },
    ],
    ['it is prepared only', { ...secondRun, setup: { storage: 'prepare' }, freshness: old }],
    ['another host was announced', { ...secondRun, isHostChange: true, freshness: old }],
    ['it is a rehearsal', { ...secondRun, isRehearsal: true, freshness: old }],
  ])('and no word of it: %s', (_, ending) => {
    expect(close(ending).text).not.toContain('systemctl')
  })

  it('who still runs as before is named, and the headline does not call it done', () => {
    const { headline, text } = close({ ...secondRun, freshness: old })
    expect(headline).toBe(
      'All is written already, nothing was changed; Mastodon was not seen to have read it.',
    )
    const names = 'mastodon-web.service, mastodon-sidekiq.service'
    expect(text.endsWith(`Not seen to have read ${ENV} as it is: ${names}.`)).toBe(true)
  })
})

describe('where the block goes', () => {
  const aside = `${ENV}.r2`
  const file = envFileOf('', { path: aside, exists: false })

  it.each([ENV, aside])('to be pasted: %s', (path) => {
    const command = close({ setup: { target: { ...forbidden, path } }, written: undefined })
      .text.split('\n')
      .find((line) => line.startsWith('  sudo') && line.includes(ENV))
    expect(command?.endsWith(` ${path}`)).toBe(true)
  })

  it('who asked for printing knows what to do with it', () => {
    expect(close({ setup: { target: printing } }).text).not.toContain('paste')
  })

  it.each<[string, Partial<Setup>, string]>([
    ['in the env file', {}, ENV],
    ['beside it', { target: { kind: 'file', file } }, aside],
    ['beside it, pasted', { target: { ...forbidden, path: aside } }, aside],
  ])('prepared %s', (_, setup, place) => {
    const { text } = close({ setup: { storage: 'prepare', ...setup } })
    expect(text).toContain(`the keys are in ${place}.`)
    expect(text).toContain('  npx mastodon-r2 migrate --mastodon-dir /srv/mastodon\n')
  })

  it('prepared and printed: no file is said to hold the keys', () => {
    const { text } = close({ setup: { storage: 'prepare', target: printing } })
    expect(text).not.toContain('the keys are in /')
    expect(text).toContain(`they have to be in ${ENV}, in the form of --format env`)
  })
})
