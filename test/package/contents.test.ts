import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packTarball, type Tarball } from './tarball.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let tarball: Tarball
let folder: string
let manifest: Record<string, unknown>

beforeAll(async () => {
  tarball = await packTarball()
  folder = join(dirname(await tarball.install()), '..')
  manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
})

afterAll(() => tarball?.remove())

test('at most 700 KB packed and 2.5 MB unpacked', () => {
  expect(tarball.packed.size).toBeLessThanOrEqual(700_000)
  expect(tarball.packed.unpackedSize).toBeLessThanOrEqual(2_500_000)
})

test('no dependencies of any kind, nothing that runs when it is installed', () => {
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies']
  expect(kinds.filter((kind) => kind in manifest)).toEqual([])
  const scripts = Object.keys(manifest.scripts as object)
  expect(scripts.filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
})

test('only the program, its templates, its manual, its licences and its README', () => {
  const rest = tarball.packed.files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^dist\/[\w-]+\.js$|^man\/[\w-]+\.1$|^templates\/[\w.-]+\.(txt|sh|mjs|conf)$/.test(path),
    )
  expect(rest.sort()).toEqual([
    'LICENSE',
    'README.md',
    'dist/THIRD-PARTY-LICENSES.txt',
    'package.json',
  ])
})

test('cli.js can be started as a program', async () => {
  const cli = tarball.packed.files.find(({ path }) => path === 'dist/cli.js')
  expect(cli && cli.mode & 0o111).toBe(0o111)
  expect(await readFile(join(folder, 'dist/cli.js'), 'utf8')).toMatch(/^#!\/bin\/sh\n/)
  expect(manifest.bin).toEqual({ 'mastodon-r2': 'dist/cli.js' })
  expect(manifest.engines).toEqual({ node: '>=20.19' })
})

test('the licences name every package that is bundled', async () => {
  const text = await readFile(join(folder, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8')
  for (const name of ['@aws-sdk/client-s3', '@clack/prompts', 'cloudflare', 'execa', 'yaml', 'zod'])
    expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
  expect(text).not.toContain('miniflare')
})

test('packed again it is the same, byte for byte', async () => {
  const again = await packTarball()
  try {
    expect((await readFile(again.file)).equals(await readFile(tarball.file))).toBe(true)
  } finally {
    await again.remove()
  }
})

test('no file tells where it was built', async () => {
  const texts = await Promise.all(
    tarball.packed.files.map(async ({ path }) => {
      return { path, text: await readFile(join(folder, path), 'utf8') }
    }),
  )
  expect(texts.filter(({ text }) => text.includes(root)).map(({ path }) => path)).toEqual([])
})
