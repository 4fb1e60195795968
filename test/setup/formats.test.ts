import { readFileSync } from 'node:fs'
import { parse as parseEnv } from 'dotenv'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { storageBlock } from '../../src/flow/mastodon-here.ts'
import { outputCatalog } from '../../src/settings/output.ts'
import * as z from '../../src/settings/zod.ts'
import { type BlockFormat, blockForms, blockWriter } from '../../src/setup/formats.ts'
import { knownKey, setupOf } from '../fakes/fake-world.ts'
import { composeMissing, realCompose } from '../services/mastodon/compose/real-compose.ts'
import { kubectlMissing, nixMissing, nixValue, readBy, sourced, whereThere } from './real-reader.ts'
import { splitFiles } from './split-files.ts'

type Form = keyof typeof blockForms

const forms = Object.keys(blockForms) as Form[]
const setup = setupOf()
const values = Object.fromEntries(storageBlock(setup, knownKey))
const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...plain } = values
const keys = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }

const printed = async (form: Form, more = setup) => (await blockWriter(form))(more, knownKey)
const filesOf = async (form: Form, more = setup) => [
  ...splitFiles(await printed(form, more)).values(),
]

test('every format of --format is written', () => {
  const rule = outputCatalog.format.rule
  const known = (name: string) => rule(z).safeParse(name).success
  const all: BlockFormat[] = [...forms, 'terraform-import']
  expect(all.filter((name) => !known(name))).toEqual([])
  for (const name of all) expect(outputCatalog.format.help).toMatch(new RegExp(`\\b${name}\\b`))
})

test.each(forms)('%s is the text that was looked through', async (form) => {
  const url = new URL(`golden-formats/${form}.txt`, import.meta.url)
  expect(await printed(form)).toBe(readFileSync(url, 'utf8'))
})

test.each(forms)('%s has S3_FORCE_SINGLE_REQUEST at need alone', async (form) => {
  const write = await blockWriter(form)
  const lines = write(setup, knownKey).split('\n')
  const more = write(setup, knownKey, { singleRequests: true }).split('\n')
  const added = more.filter((line) => !lines.includes(line))
  expect(added).toEqual([
    expect.stringMatching(/^ *"?S3_FORCE_SINGLE_REQUEST"?[:= ]+['"]?true['"]?[,;]?$/),
  ])
  expect(more).toHaveLength(lines.length + 1)
})

test.each(forms)(
  '%s keeps the host of Swift or Azure, which is switched away from',
  async (form) => {
    const write = await blockWriter(form)
    const azure = { AZURE_ENABLED: 'true', AZURE_STORAGE_ACCOUNT: 'ours' }
    const settings = new Map(
      Object.entries(azure).map(([name, value]) => [name, { value, from: '.env.production' }]),
    )
    const left = { ...setup, installation: { ...setup.installation, settings } }
    const lines = write(setup, knownKey).split('\n')
    const added = write(left, knownKey)
      .split('\n')
      .filter((line) => !lines.includes(line))
    expect(added).toEqual([
      expect.stringMatching(
        /^ *"?EXTRA_MEDIA_HOSTS"?[:= ]+['"]?https:\/\/ours\.blob\.core\.windows\.net['"]?[,;]?$/,
      ),
    ])
    const prepared = write({ ...left, storage: 'prepare' }, knownKey)
    expect(prepared).not.toContain('EXTRA_MEDIA_HOSTS')
  },
)

describe.each(forms.filter((form) => blockForms[form].saysHow))('%s', (form) => {
  test('keeps the keys in one file and all else in others', async () => {
    const files = await filesOf(form)
    expect(files.length).toBeGreaterThanOrEqual(2)
    const having = (value: string) => files.filter((text) => text.includes(value))
    const [withKeys] = having(knownKey.accessKeyId)
    expect(having(knownKey.accessKeyId)).toHaveLength(1)
    expect(having(knownKey.secretAccessKey.reveal())).toEqual([withKeys])
    for (const value of [setup.at.bucket, setup.mediaHost, setup.s3Endpoint])
      expect(withKeys).not.toContain(value)
  })

  test('begins with comments, and says of every file what to do with it', async () => {
    const text = await printed(form)
    expect(text.startsWith('# Media storage: Cloudflare R2')).toBe(true)
    for (const part of splitFiles(text).values()) expect(part).toMatch(/^\n# .+/)
    expect(text).not.toMatch(/[^\x20-\x7e\n]/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })
})

describe('read back', () => {
  test('json', async () => {
    expect(JSON.parse(await printed('json'))).toEqual(values)
  })

  test('env', async () => {
    expect(parseEnv(await printed('env'))).toEqual(values)
  })

  test('compose', async () => {
    const [env = '', override = ''] = await filesOf('compose')
    expect(parseEnv(env)).toEqual(keys)
    const { services } = parse(override)
    expect(services.web).toEqual({ env_file: ['.env.r2'], environment: plain })
    expect(services.sidekiq).toEqual(services.web)
  })

  whereThere(composeMissing)('compose, by docker-compose', async () => {
    const [env = '', override = ''] = await filesOf('compose')
    const service = { image: 'mastodon', env_file: '.env.production' }
    const files = {
      '.env.production': 'S3_PERMISSION=public-read\nLOCAL_DOMAIN=example.com\n',
      '.env.r2': env,
      'docker-compose.yml': JSON.stringify({ services: { web: service, sidekiq: service } }),
      'docker-compose.override.yml': override,
    }
    const { services } = JSON.parse(
      readBy(realCompose?.program ?? 'docker-compose', ['config', '--format', 'json'], files),
    )
    const all = { ...values, LOCAL_DOMAIN: 'example.com' }
    expect(services.web.environment).toEqual(all)
    expect(services.sidekiq.environment).toEqual(all)
  })

  test('systemd', async () => {
    const [secret = '', rest = '', unit = ''] = await filesOf('systemd')
    expect(parseEnv(secret)).toEqual(keys)
    expect(parseEnv(rest)).toEqual(plain)
    expect(sourced(secret + rest)).toMatchObject(values)
    const names = [...splitFiles(await printed('systemd')).keys()]
    const files = [...unit.matchAll(/^EnvironmentFile=(.+)$/gm)].map(([, file]) => file)
    expect(new Set(files)).toEqual(new Set(names.slice(0, 2)))
    expect(unit).toMatch(/^\[Service\]$/m)
  })

  test('kubernetes', async () => {
    const [secret, config] = parseAllDocuments(await printed('kubernetes')).map((doc) => doc.toJS())
    expect(secret).toMatchObject({ apiVersion: 'v1', kind: 'Secret', stringData: keys })
    expect(config).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: plain })
  })

  whereThere(kubectlMissing)('kubernetes, by kubectl', async () => {
    const files = {
      'all.yaml': await printed('kubernetes'),
      'kustomization.yaml': 'resources: [all.yaml]',
    }
    const docs = parseAllDocuments(readBy('kubectl', ['kustomize', '.'], files))
    const { data, stringData } = Object.assign({}, ...docs.map((doc) => doc.toJS()))
    expect({ ...data, ...stringData }).toEqual(values)
  })

  test('ansible', async () => {
    const [vault = '', vars = ''] = await filesOf('ansible')
    expect(parse(vault)).toEqual({ mastodon_r2_keys: keys })
    expect(parse(vars)).toEqual({ mastodon_r2: plain })
  })

  test.skipIf(nixMissing)('nixos, by Nix', async () => {
    const [env = '', module = ''] = await filesOf('nixos')
    expect(parseEnv(env)).toEqual(keys)
    expect(sourced(env)).toMatchObject(keys)
    const [name] = splitFiles(await printed('nixos')).keys()
    expect(nixValue(module)).toEqual({
      services: { mastodon: { extraConfig: plain, extraEnvFiles: [name] } },
    })
  })
})

describe('helm', () => {
  const charts = async (more = setup) => {
    const [secret, chart] = (await filesOf('helm', more)).map((text) => parse(text))
    return { secret, mastodon: chart.mastodon }
  }

  test('read back', async () => {
    const { secret, mastodon } = await charts()
    expect(secret).toMatchObject({ kind: 'Secret', stringData: keys })
    const { s3, extraEnvVars } = mastodon
    expect(extraEnvVars).toEqual({ S3_PERMISSION: '' })
    expect(s3).toEqual({
      enabled: true,
      existingSecret: secret.metadata.name,
      existingSecretKeys: {
        accessKeyId: 'AWS_ACCESS_KEY_ID',
        secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
      },
      bucket: plain.S3_BUCKET,
      region: plain.S3_REGION,
      endpoint: plain.S3_ENDPOINT,
      protocol: plain.S3_PROTOCOL,
      hostname: plain.S3_ENDPOINT?.replace('https://', ''),
      alias_host: plain.S3_ALIAS_HOST,
      aliasHost: plain.S3_ALIAS_HOST,
    })
  })

  test('never names the permission twice, nor where the charts would drop it', async () => {
    const { mastodon } = await charts()
    expect(mastodon.s3).not.toHaveProperty('permission')
  })

  test('a prepared storage stays off', async () => {
    const { mastodon } = await charts(setupOf({ storage: 'prepare' }))
    expect(mastodon.s3.enabled).toBe(false)
  })
})
