import {
  chmodSync,
  chownSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAgain } from '../../../src/check/fix/check-again.ts'
import { type MendingAt, planMending } from '../../../src/check/fix/mending.ts'
import { survey } from '../../../src/plan/survey.ts'
import type { Checked, Mend, Severity } from '../../../src/plan/verdict.ts'
import { editEnvFile } from '../../../src/services/mastodon/env-edit.ts'
import { closeToOthers, isOwnersAlone } from '../../../src/services/mastodon/env-mode.ts'
import type { Installation } from '../../../src/services/mastodon/port.ts'
import { FakeClock, worldOf } from '../../fakes/fake-world.ts'
import { ENV, file, lines, reading } from '../areas/reading.ts'

function trouble(id: string, mend?: Mend, severity: Severity = 'fault'): Checked {
  const verdict = { severity, saw: `${id} is wrong.`, matters: 'It is.', next: 'Type.', mend }
  return { id, about: 'settings', title: id, verdict: verdict as Checked['verdict'] }
}

const settings = (values: Readonly<Record<string, string | undefined>>): Mend => ({
  is: 'settings',
  values: new Map(Object.entries(values)),
})

interface Situation {
  readonly installation?: Partial<Installation>
  readonly text?: string
  /** What Mastodon would read, whatever is written. */
  readonly after?: string
  readonly shut?: string
  readonly cloudflare?: MendingAt['cloudflare']
  readonly writable?: boolean
}

function at(situation: Situation = {}): MendingAt {
  const { text = lines(), after, shut, cloudflare, writable = true } = situation
  const files = [file(text, { writable })]
  const read = (now: string) => reading(now, { files: [file(now)] }).installation
  const world = reading(text, { files, installation: situation.installation ?? {} })
  return {
    installation: world.installation,
    envReader: world.envReader,
    envWriter: {
      edit: (now, set, retire) => editEnvFile(now, { set, retire }),
      preview: async (_, now) => read(after ?? now),
    },
    cloudflare,
    shutWith: async () => shut,
  }
}

const changesOf = async (mending: Awaited<ReturnType<typeof planMending>>) => {
  const { envWriter, clock } = worldOf()
  const edit: typeof envWriter.edit = (text, set, retire) => editEnvFile(text, { set, retire })
  const world = { envWriter: Object.assign(envWriter, { edit }), clock, facts: {} }
  const { items } = await survey(mending.steps, world)
  return items.flatMap(({ finding }) =>
    finding.is === 'change' ? finding.changes.map(({ what }) => what) : [],
  )
}

describe('lines of an env file', () => {
  test('all of them are one step, and the plan tells each', async () => {
    const found = [
      trouble('a', settings({ S3_REGION: 'auto' })),
      trouble('b', settings({ CDN_HOST: undefined })),
      trouble('c'),
    ]
    const text = lines({ S3_REGION: 'eu', CDN_HOST: 'https://x.test' })
    const mending = await planMending(at({ text }), found)
    expect(await changesOf(mending)).toEqual([
      `change ${ENV} (a backup is kept)`,
      'write S3_REGION=auto',
      'comment out CDN_HOST',
    ])
    expect(found.map((one) => mending.isMended(one))).toEqual([true, true, false])
    expect(mending.files.map(({ path }) => path)).toEqual([ENV])
  })

  test.each<[string, Situation, Mend, RegExp]>([
    [
      'a bucket that does not open with them',
      { text: lines({ S3_BUCKET: 'B' }), shut: 'the bucket does not open' },
      settings({ S3_BUCKET: 'b-1' }),
      /^S3_BUCKET: the bucket does not open/,
    ],
    [
      'what Mastodon would not read from there',
      { text: lines({ S3_REGION: 'eu' }), after: lines({ S3_REGION: 'eu' }) },
      settings({ S3_REGION: 'auto' }),
      /^S3_REGION: Mastodon would not take it from/,
    ],
    [
      'what is in force after it was commented out',
      { text: lines({ CDN_HOST: 'x' }), after: lines({ CDN_HOST: 'x' }) },
      settings({ CDN_HOST: undefined }),
      /^CDN_HOST: Mastodon would not take it from/,
    ],
    [
      'a file that is not ours to write',
      { text: lines({ S3_REGION: 'eu' }), writable: false },
      settings({ S3_REGION: 'auto' }),
      /can't be written by you/,
    ],
    [
      'settings that are made elsewhere',
      { installation: { declared: { by: 'nixos', place: '/nix/store/x' } } },
      settings({ S3_REGION: 'auto' }),
      /\/nix\/store\/x makes the settings anew/,
    ],
    [
      'a switch of the storage',
      {
        text: lines({ S3_ENABLED: '"true" # R2' }),
        installation: { settings: new Map([['S3_ENABLED', { value: '"true" # R2', from: ENV }]]) },
      },
      { is: 'bare', file: ENV, names: ['S3_ENABLED'] },
      /^S3_ENABLED: it would switch the storage over$/,
    ],
    [
      'a line that the editor refuses',
      { text: `${lines({ S3_REGION: 'eu' })}'\n` },
      settings({ S3_REGION: 'a b' }),
      /can't be written/,
    ],
  ])('are left with the reason: %s', async (_, situation, mend, why) => {
    const one = trouble('it', mend)
    const mending = await planMending(at(situation), [one])
    expect(mending.steps).toEqual([])
    expect(String(mending.whyNot(one))).toMatch(why)
    expect(mending.isMended(one)).toBe(false)
  })

  test('one that is refused does not keep the others', async () => {
    const text = lines({ S3_REGION: 'eu', S3_BUCKET: 'B' })
    const found = [
      trouble('a', settings({ S3_BUCKET: 'b-1' })),
      trouble('b', settings({ S3_REGION: 'auto' })),
    ]
    const mending = await planMending(at({ text, shut: 'it is shut' }), found)
    expect(await changesOf(mending)).toEqual([
      `change ${ENV} (a backup is kept)`,
      'write S3_REGION=auto',
    ])
  })

  test('a key is never told', async () => {
    const found = [trouble('a', settings({ AWS_SECRET_ACCESS_KEY: 'f'.repeat(64) }))]
    const changes = await changesOf(await planMending(at(), found))
    expect(changes).toContain('write AWS_SECRET_ACCESS_KEY with the key alone')
    expect(changes.join()).not.toContain('fff')
  })
})

describe('what is at Cloudflare', () => {
  const wish = (...ids: string[]) => trouble('cloudflare', { is: 'steps', ids })

  test('without a token it is left, with the permission that is needed', async () => {
    const mending = await planMending(at(), [wish('cors')])
    expect(mending.steps).toEqual([])
    expect(String(mending.whyNot(wish('cors')))).toMatch(/"Workers R2 Storage: Edit".*check --fix/)
  })

  test('the steps of the setup are taken, what needs nothing is not', async () => {
    const world = worldOf()
    world.cloudflare.lifecycle = [
      {
        id: 'x',
        enabled: true,
        conditions: {},
        abortMultipartUploadsTransition: { condition: { type: 'Age', maxAge: 1 } },
      },
    ]
    const seen = { world, plan: { items: [] } }
    const mending = await planMending(at({ cloudflare: seen }), [wish('cors'), wish('lifecycle')])
    expect(mending.steps.map(({ id }) => id)).toEqual(['cors'])
    expect(String(mending.whyNot(wish('lifecycle')))).toContain('has it already')
  })

  test('the worst comes first, and each says whether it is a fault or advice', async () => {
    const world = worldOf()
    world.cloudflare.cors = []
    const found = [
      trouble('Headers', { is: 'steps', ids: ['security-headers'] }, 'note'),
      trouble('Rules', { is: 'steps', ids: ['private-folders'] }, 'warning'),
      trouble('CORS', { is: 'steps', ids: ['cors'] }),
    ]
    const seen = { world, plan: { items: [] } }
    const mending = await planMending(at({ cloudflare: seen }), found)
    expect(mending.steps.map(({ id }) => id)).toEqual([
      'cors',
      'private-folders',
      'security-headers',
    ])
    const reasons = (await changesOf(mending)).map((what) => /\(([^()]*)\)$/.exec(what)?.[1])
    expect(reasons).toEqual(['a fault: CORS', 'a warning: Rules', 'advice, no fault: Headers'])
  })

  test('a token that only reads is told by the name of the permission', async () => {
    const world = worldOf()
    world.cloudflare.ownPermissionGroups = async () => ['Workers R2 Storage Read'] as never
    const mending = await planMending(at({ cloudflare: { world, plan: { items: [] } } }), [
      wish('cors'),
    ])
    expect(mending.whyNot(wish('cors'))).toBe('the API token lacks "Workers R2 Storage: Edit"')
    expect(world.cloudflare.writes).toEqual([])
  })
})

describe('an env file that everybody may read', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-mode-'))
    path = join(folder, '.env.production')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const isRoot = process.getuid?.() === 0
  const made = (owner: number) => {
    writeFileSync(path, 'A=1\n')
    chmodSync(path, 0o644)
    if (isRoot) chownSync(path, owner, owner)
    return file('A=1\n', { path, mode: 0o644 })
  }

  test.skipIf(!isRoot).each<[string, number, Partial<Installation>, number, boolean]>([
    ["is Mastodon's own", 1234, { kind: 'systemd' }, 1234, true],
    ["is root's, and Mastodon's folder is not", 1234, { kind: 'systemd' }, 0, false],
    ["is root's, as all is: who reads it is not known", 0, { kind: 'docker' }, 0, false],
    ['where no Mastodon runs', 0, { kind: 'none' }, 0, true],
    ['of who runs compose', 1234, { kind: 'docker' }, 1234, true],
  ])('%s', async (_, ofFolder, kind, owner, expected) => {
    chownSync(folder, ofFolder, ofFolder)
    const it = made(owner)
    expect(await isOwnersAlone(it, { kind: 'none', dir: folder, ...kind })).toBe(expected)
  })

  test('is closed to others, and to nobody else', async () => {
    await closeToOthers(made(0), 'all')
    expect(statSync(path).mode & 0o7777).toBe(0o640)
  })

  test('whose reader is not known: nobody else may change it, and that they read it is left', async () => {
    const it = made(0)
    chmodSync(path, 0o666)
    const known = at()
    const installation = {
      ...known.installation,
      kind: 'docker',
      dir: '/',
      envFiles: [it],
    } as const
    const found = [trouble('env-file-mode', { is: 'mode', file: it.realPath })]
    const mending = await planMending({ ...known, installation }, found)
    expect(await changesOf(mending)).toEqual([`chmod o-w ${path}`])
    for (const step of mending.steps) await step.change?.({} as never)
    expect(statSync(path).mode & 0o7777).toBe(0o664)
    expect(mending.whyNot(found[0] as Checked)).toContain('nothing tells')
    const again = await planMending({ ...known, installation }, found)
    expect(again.steps).toEqual([])
  })

  test('a link in its place is not followed', async () => {
    const other = join(folder, 'other')
    writeFileSync(other, '')
    chmodSync(other, 0o644)
    symlinkSync(other, path)
    await expect(closeToOthers(file('', { path }), 'all')).rejects.toMatchObject({
      code: 'env-file-not-writable',
    })
    expect(statSync(other).mode & 0o777).toBe(0o644)
  })
})

describe('the check again', () => {
  const carriedOut = async (looks: readonly (readonly Checked[])[], awaited = 'cors') => {
    const open = [...looks]
    const clock = new FakeClock()
    const again = checkAgain(
      async () => (open.length > 1 ? open.shift() : open[0]) ?? [],
      ({ id, verdict }) => id === awaited && verdict.severity === 'fault',
    )
    const before = await again.step.look({ clock })
    await again.step.change?.({ clock })
    return { before, after: await again.step.look({ clock }), slept: clock.slept }
  }

  test('waits until a rule has reached every place', async () => {
    const { before, after, slept } = await carriedOut([[trouble('cors')], []])
    expect(before.is).toBe('change')
    expect(after).toMatchObject({ is: 'ready' })
    expect(slept).toBeGreaterThan(0)
  })

  test('a fault that is left is a failure, and not waited for', async () => {
    const { after, slept } = await carriedOut([[trouble('other')]])
    expect(after).toMatchObject({ is: 'blocked', problem: { code: 'faults-left', exit: 1 } })
    expect(slept).toBe(0)
  })

  test('a warning is none', async () => {
    const { after } = await carriedOut([[trouble('other', undefined, 'warning')]])
    expect(after).toMatchObject({ is: 'ready' })
  })
})
