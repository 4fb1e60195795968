import { describe, expect, it } from 'vitest'
import type { Facts, Setup } from '../../src/plan/step.ts'
import type { EnvFileOnDisk, Installation } from '../../src/services/mastodon/port.ts'
import { envFile } from '../../src/setup/env-file.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import {
  ACCOUNT,
  ENV,
  envFileOf,
  HOST,
  installationOf,
  knownKey,
  mintedKey,
  printing,
  worldOf,
} from '../fakes/fake-world.ts'
import { found, problemOf, warningsOf } from '../fakes/found.ts'

const proven: Partial<Facts> = { accessKey: mintedKey, keyProven: true, publicProven: {} }
const written = { file: ENV, backup: undefined, changed: [], diff: [] }
const block = [
  'S3_ENABLED=true',
  'S3_BUCKET=example-media',
  'S3_REGION=auto',
  `S3_ENDPOINT=https://${ACCOUNT}.r2.cloudflarestorage.com`,
  'S3_PROTOCOL=https',
  'S3_PERMISSION=',
  `S3_ALIAS_HOST=${HOST}`,
  `AWS_ACCESS_KEY_ID=${'1'.repeat(32)}`,
  `AWS_SECRET_ACCESS_KEY=${'2'.repeat(64)}`,
]
const change = `change change the storage settings in ${ENV} (a backup is kept)`

/** Mastodon reading these files, the strongest first, each `NAME=value` told by its file. */
function reading(files: EnvFileOnDisk[], more: Partial<Installation> = {}): Partial<Setup> {
  const settings = new Map<string, { value: string; from: string }>()
  for (const { path, text } of files) {
    for (const line of text.split('\n')) {
      const [name = '', value = ''] = line.split('=')
      if (line !== '' && !settings.has(name)) settings.set(name, { value, from: path })
    }
  }
  const envFile = files.find(({ path }) => path === ENV) ?? envFileOf('', { exists: false })
  return { installation: installationOf({ envFile, envFiles: files, settings, ...more }) }
}

describe('looking at the env file', () => {
  it.each<[string, Partial<Setup>, Partial<Facts>, string]>([
    ['no key yet', {}, {}, 'waiting accessKey'],
    ['a key that nobody has tried', {}, { accessKey: mintedKey }, 'waiting keyProven'],
    [
      'a host that nobody has read from',
      {},
      { accessKey: mintedKey, keyProven: true },
      'waiting publicProven',
    ],
    ['other settings', {}, proven, change],
    ['no file', reading([]), proven, `change create ${ENV} with the storage settings`],
    [
      'the settings',
      reading([envFileOf(`${block.join('\n')}\n`)]),
      proven,
      `ready ${ENV} holds the settings`,
    ],
    ['written in this run', {}, { ...proven, envWritten: written }, `ready ${ENV} written`],
    ['to be printed', { target: printing }, proven, 'change print the block (--print)'],
    [
      'printed',
      { target: printing },
      { ...proven, envWritten: { ...written, file: undefined } },
      'ready the block is printed',
    ],
  ])('%s', async (_, setup, facts, expected) => {
    const world = worldOf(setup, facts)
    expect(found(await envFile.look(world))).toBe(expected)
    expect(world.envWriter.written).toEqual([])
  })

  it('what is right already is known to the steps that follow', async () => {
    const world = worldOf(reading([envFileOf(`${block.join('\n')}\n`)]), proven)
    expect(await envFile.look(world)).toMatchObject({ facts: { envWritten: written } })
  })

  it('names what hinders R2, and leaves harmless settings alone', async () => {
    const text = 'S3_SIGNATURE_VERSION=s3\nS3_KEY_PREFIX=x\nS3_OPEN_TIMEOUT=9\n'
    expect(found(await envFile.look(worldOf(reading([envFileOf(text)]), proven)))).toBe(
      `${change}; comment out S3_SIGNATURE_VERSION (R2 takes signature version 4 only); comment out S3_KEY_PREFIX (tootctl expects media at the top of the bucket)`,
    )
  })

  it('writes S3_FORCE_SINGLE_REQUEST=true where reads by part number are refused', async () => {
    const needs = { ...proven, singleRequests: true as const }
    const held = `${block.join('\n')}\n`
    const forced = `S3_FORCE_SINGLE_REQUEST=true\n${held}`
    const look = (text: string) => envFile.look(worldOf(reading([envFileOf(text)]), needs))
    expect(found(await look(held))).toBe(
      `${change}; write S3_FORCE_SINGLE_REQUEST=true (the S3 endpoint refuses reads by part number)`,
    )
    expect(found(await look(forced))).toBe(`ready ${ENV} holds the settings`)
    const world = worldOf(reading([envFileOf(held)]), needs)
    await envFile.change?.(world)
    expect(world.envWriter.written[0]?.split('\n')).toContain('S3_FORCE_SINGLE_REQUEST=true')
  })

  it.each<[number | undefined, boolean]>([
    [0o644, true],
    [0o604, true],
    [0o640, false],
    [0o600, false],
    [undefined, false],
  ])('mode %o: everybody may read is warned of', async (mode, warned) => {
    const file = envFileOf('A=1\n', { mode })
    const before = await envFile.look(worldOf(reading([file]), proven))
    const after = await envFile.look(worldOf(reading([file]), { ...proven, envWritten: written }))
    for (const finding of [before, after]) {
      expect(warningsOf(finding).join(' ').includes(`chmod 600 ${ENV}`)).toBe(warned)
    }
  })

  it('a text that can’t be edited is said before a key is made', async () => {
    const world = worldOf()
    world.envWriter.edit = () => {
      throw refusal('env-file-tangled')
    }
    expect((await problemOf(envFile.look(world))).code).toBe('env-file-tangled')
  })
})

describe('what is stronger than the env file', () => {
  const own = envFileOf('A=1\n')
  const stronger = (text: string) => envFileOf(text, { path: '/live/.env.production.local' })
  const weaker = (text: string) => envFileOf(text, { path: '/live/.env' })
  const unit = 'systemd unit mastodon-web.service'
  const given = (value: string, from: string) => ({
    ...reading([own]),
    installation: installationOf({
      envFile: own,
      envFiles: [own],
      settings: new Map([['S3_BUCKET', { value, from }]]),
    }),
  })

  it.each<[string, Partial<Setup>, string]>([
    ['a stronger file', reading([stronger('S3_BUCKET=old\n'), own]), 'blocked env-file-shadowed'],
    [
      'a stronger file says the same',
      reading([stronger('S3_BUCKET=example-media\n'), own]),
      change,
    ],
    ['a stronger file about other things', reading([stronger('DB_HOST=x\n'), own]), change],
    ['a weaker file', reading([own, weaker('S3_BUCKET=old\n')]), change],
    [
      'a weaker file, and ours does not exist yet',
      reading([weaker('S3_BUCKET=old\n')]),
      `change create ${ENV} with the storage settings`,
    ],
    [
      'a stronger file, and ours does not exist yet',
      reading([stronger('S3_BUCKET=old\n')]),
      'blocked env-file-shadowed',
    ],
    ['a systemd unit', given('old', unit), 'blocked env-file-shadowed'],
    ['a compose file', given('old', '/live/docker-compose.yml'), 'blocked env-file-shadowed'],
    ['a unit that says the same', given('example-media', unit), change],
  ])('%s', async (_, setup, expected) => {
    const before = found(await envFile.look(worldOf(setup)))
    const after = found(await envFile.look(worldOf(setup, proven)))
    expect(after).toBe(expected)
    expect(before).toBe(expected.startsWith('blocked') ? expected : 'waiting accessKey')
  })

  it('names the place and the settings', async () => {
    const text = 'S3_BUCKET=old\nS3_ALIAS_HOST=old.example.com\n'
    const finding = await envFile.look(worldOf(reading([stronger(text), own]), proven))
    const what = `/live/.env.production.local sets S3_BUCKET, S3_ALIAS_HOST, and wins over ${ENV}.`
    expect(finding).toMatchObject({ problem: { what, exit: 2 } })
  })

  it('a key that stands in a stronger place and works needs no word', async () => {
    const text = `AWS_ACCESS_KEY_ID=${knownKey.accessKeyId}\n`
    const setup = { ...reading([stronger(text), own]), knownKey }
    expect(found(await envFile.look(worldOf(setup)))).toBe('waiting accessKey')
  })

  it('a file that Mastodon does not read is shadowed by nothing', async () => {
    const file = envFileOf('', { path: `${ENV}.r2`, exists: false })
    const setup = reading([stronger('S3_BUCKET=old\nS3_KEY_PREFIX=x\n'), own])
    const finding = await envFile.look(
      worldOf({ ...setup, target: { kind: 'file', file } }, proven),
    )
    expect(found(finding)).toBe(`change create ${ENV}.r2 with the storage settings`)
  })

  it.each<[string, Partial<Setup>]>([
    ['a stronger file', reading([stronger('S3_KEY_PREFIX=x\n'), own])],
    ['a weaker file', reading([own, weaker('S3_KEY_PREFIX=x\n')])],
  ])('a hindrance in %s can’t be commented out here', async (_, setup) => {
    const finding = await envFile.look(worldOf(setup, proven))
    expect(found(finding)).toBe('blocked env-file-hindered')
    expect(finding).toMatchObject({ problem: { exit: 2 } })
  })
})

describe('a hindrance that a compose file names', () => {
  /** `environment:` of the web service, with what the compose file makes of the env file's line. */
  function composed(fillIn: (own: string) => string, text = 'S3_STORAGE_CLASS=COLD\n') {
    const file = envFileOf(text)
    const of = (now: string) => {
      const lines = now.split('\n').flatMap((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [])
      const settings = new Map<string, { value: string; from: string }>()
      for (let at = 0; at < lines.length; at += 2)
        settings.set(lines[at] ?? '', { value: lines[at + 1] ?? '', from: ENV })
      const value = fillIn(settings.get('S3_STORAGE_CLASS')?.value ?? '')
      settings.set('S3_STORAGE_CLASS', { value, from: '/live/docker-compose.yml' })
      const service = { name: 'web', role: 'web' as const, envFiles: [ENV], settings }
      const envFile = { ...file, text: now }
      const found = { kind: 'docker' as const, envFile, envFiles: [envFile], settings }
      return installationOf({ ...found, services: [service] })
    }
    const world = worldOf({ installation: of(text), target: { kind: 'file', file } }, proven)
    world.envWriter.preview = async (_, now) => of(now)
    return world
  }

  it('and fills in from the env file is commented out there', async () => {
    const world = composed((own) => own)
    expect(found(await envFile.look(world))).toContain('comment out S3_STORAGE_CLASS')
    await envFile.change?.(world)
    expect(world.envWriter.written[0]).toContain('# S3_STORAGE_CLASS=COLD\n')
  })

  it.each(['S3_STORAGE_CLASS=COLD\n', 'A=1\n'])('and gives by itself stays: %j', async (text) => {
    const finding = await envFile.look(composed(() => 'COLD', text))
    expect(found(finding)).toBe('blocked env-file-hindered')
  })
})

describe('changing the env file', () => {
  it('writes the block, keeps the rest, comments out what hinders', async () => {
    const file = envFileOf('LOCAL_DOMAIN=example.com\nS3_BUCKET=old\nS3_KEY_PREFIX=x\n')
    const world = worldOf(reading([file]), proven)
    const facts = await envFile.change?.(world)
    expect(world.envWriter.written).toEqual([
      `${['LOCAL_DOMAIN=example.com', '# S3_KEY_PREFIX=x', ...block].join('\n')}\n`,
    ])
    expect(facts?.envWritten).toMatchObject({ file: ENV, backup: `${ENV}.backup` })
    const names = block.map((line) => line.split('=')[0])
    expect(facts?.envWritten?.changed).toEqual([...names, 'S3_KEY_PREFIX'])
  })

  it('tells only what changed', async () => {
    const others = block.filter((line) => !line.startsWith('S3_ENABLED')).join('\n')
    const world = worldOf(reading([envFileOf(`${others}\nS3_ENABLED=false\n`)]), proven)
    const facts = await envFile.change?.(world)
    expect(facts?.envWritten?.changed).toEqual(['S3_ENABLED'])
  })

  it('prepared, everything is there but switched off', async () => {
    const world = worldOf({ storage: 'prepare' }, proven)
    await envFile.change?.(world)
    expect(world.envWriter.written[0]).toContain('S3_ENABLED=false\n')
  })

  it('a new file has no backup', async () => {
    const facts = await envFile.change?.(worldOf(reading([]), proven))
    expect(facts?.envWritten?.backup).toBeUndefined()
  })

  it('printing writes nothing here', async () => {
    const world = worldOf({ target: printing }, proven)
    const facts = await envFile.change?.(world)
    expect(world.envWriter.written).toEqual([])
    expect(facts?.envWritten).toMatchObject({ file: undefined, diff: [] })
    expect(facts?.envWritten?.changed).toHaveLength(9)
  })
})
