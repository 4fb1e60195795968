import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { findCycle } from './architecture/cycle.ts'
import {
  bareCode,
  findImports,
  type Import,
  readSource,
  sourceFiles,
  src,
} from './architecture/imports.ts'
import { isAllowed, roomOf } from './architecture/rooms.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = sourceFiles()
const imports = files.flatMap((file) => findImports(file, readSource(file)))
const told = ({ file, kind, target }: Import) => `${file} imports ${target} (${kind})`

describe('the import table', () => {
  test('holds for every import of src', () => {
    expect(imports.length).toBeGreaterThan(files.length)
    expect(imports.filter((at) => !isAllowed(at)).map(told)).toEqual([])
  })

  test.each<[string, Import['kind'], string, boolean]>([
    ['cli.ts', 'value', 'zod', false],
    ['cli.ts', 'value', 'nearest.ts', false],
    ['cli.ts', 'dynamic', 'nearest.ts', true],
    ['commands/index.ts', 'value', 'commands/init.ts', false],
    ['commands/index.ts', 'dynamic', 'commands/init.ts', true],
    ['host.ts', 'value', 'problem.ts', false],
    ['commands/init.ts', 'value', 'steps/cors.ts', true],
    ['commands/init.ts', 'value', 'zod', false],
    ['steps/cors.ts', 'value', 'commands/flow.ts', false],
    ['steps/cors.ts', 'value', 'steps/bucket.ts', true],
    ['steps/cors.ts', 'value', 'ui/port.ts', false],
    ['steps/cors.ts', 'value', 'settings/catalog.ts', false],
    ['steps/cors.ts', 'type', 'services/s3/port.ts', true],
    ['steps/cors.ts', 'value', 'services/s3/client.ts', false],
    ['plan/apply.ts', 'value', 'services/s3/port.ts', false],
    ['plan/apply.ts', 'type', 'steps/cors.ts', false],
    ['settings/rules.ts', 'type', 'ui/port.ts', true],
    ['settings/rules.ts', 'value', 'plan/step.ts', false],
    ['ui/clack.ts', 'value', '@clack/prompts', true],
    ['ui/plain.ts', 'value', '@clack/prompts', false],
    ['ui/plain.ts', 'value', 'plan/report.ts', false],
    ['services/s3/client.ts', 'value', 'services/mastodon/find.ts', false],
    ['services/s3/client.ts', 'value', 'services/process/command.ts', true],
    ['services/s3/client.ts', 'value', 'services/process/run.ts', false],
    ['services/mastodon/find.ts', 'value', 'execa', false],
    ['services/cloudflare/keys.ts', 'value', 'cloudflare/tree-shakable', false],
    ['sandbox/api/zones.ts', 'type', 'cloudflare/resources/zones/zones', true],
    ['sandbox/api/zones.ts', 'value', 'cloudflare/resources/zones/zones', false],
    ['sandbox/api/zones.ts', 'type', 'services/cloudflare/port.ts', false],
    ['sandbox/sandbox.ts', 'type', 'host.ts', false],
    ['problem.ts', 'value', 'settings/rules.ts', false],
    ['commands/init.ts', 'value', 'cli.ts', false],
    ['problem.ts', 'value', 'left-pad', false],
  ])('%s: %s import of %s → %s', (file, kind, target, allowed) => {
    expect(isAllowed({ file, kind, target })).toBe(allowed)
  })

  test('a step imports no other step', () => {
    const between = imports.filter(
      ({ file, target }) => roomOf(file) === 'steps' && roomOf(target) === 'steps',
    )
    expect(between.map(told)).toEqual([])
  })

  test('rooms do not import one another in a circle', () => {
    const edges = imports
      .filter(({ kind, target }) => kind !== 'dynamic' && target.endsWith('.ts'))
      .map(({ file, target }) => [roomOf(file), roomOf(target)] as const)
      .filter(([from, to]) => from !== to)
    expect(findCycle(edges)).toBeUndefined()
  })

  test('files do not load one another in a circle', () => {
    const edges = imports
      .filter(({ kind }) => kind === 'value')
      .map(({ file, target }) => [file, target] as const)
    expect(findCycle(edges)).toBeUndefined()
  })
})

describe('the scanner', () => {
  test('sees every import that esbuild sees', async () => {
    const { metafile } = await build({
      absWorkingDir: src,
      entryPoints: files,
      outdir: 'nowhere',
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
    })
    const seen = new Set(imports.map(({ file, target }) => `${file} → ${target}`))
    const missed = Object.entries(metafile.inputs)
      .flatMap(([file, input]) => input.imports.map(({ path }) => `${file} → ${path}`))
      .filter((edge) => !seen.has(edge))
    expect(missed).toEqual([])
  })

  test.each<[string, string, Import['kind'], string]>([
    ['a value', "import { a } from './b.ts'", 'value', 'x/b.ts'],
    ['many lines', "import {\n  a,\n  b,\n} from '../b.ts'", 'value', 'b.ts'],
    ['a type', "import type { A } from './b.ts'", 'type', 'x/b.ts'],
    ['a type among values', "import { a, type B } from 'c'", 'value', 'c'],
    ['everything', "import * as z from 'zod'", 'value', 'zod'],
    ['an effect', "import 'c'", 'value', 'c'],
    ['passed on', "export { a } from 'c'", 'value', 'c'],
    ['later', "const { a } = await import('c')", 'dynamic', 'c'],
    ['the type of a module', "type M = typeof import('c')", 'type', 'c'],
    ['a type in a module', "let a: import('c').A", 'dynamic', 'c'],
  ])('%s', (_, text, kind, target) => {
    expect(findImports('x/a.ts', text)).toEqual([{ file: 'x/a.ts', kind, target }])
  })

  test('leaves comments and strings alone', () => {
    const text = "// import 'a'\n/* import 'b' */\nconst c = \"import('d')\"\n"
    expect(findImports('a.ts', text)).toEqual([])
  })
})

describe('habits', () => {
  test.each(['process', 'console', 'globalThis'])('only the host touches %s', async (name) => {
    const guilty = await Promise.all(
      files.map(async (file) => ((await usesGlobal(readSource(file), name)) ? [file] : [])),
    )
    expect(guilty.flat().filter((file) => file !== 'host.ts')).toEqual([])
  })

  test('the host does touch process, so the rule above can see it', async () => {
    expect(await usesGlobal(readSource('host.ts'), 'process')).toBe(true)
  })

  test.each([
    ["export const a = 'process'", false],
    ['export const a = () => `${process.pid}`', true],
    ['export const { env } = process', true],
    ['export const a = (process: { pid: number }) => process.pid', false],
    ['export const a = { process: 1 }', false],
  ])('%s uses process: %s', async (text, expected) => {
    expect(await usesGlobal(text, 'process')).toBe(expected)
  })

  test('modules come in through imports, never from a computed name', () => {
    const computed = files.filter((file) => /\bimport\((?!\s*')/.test(bareCode(readSource(file))))
    expect(computed).toEqual(['sandbox/r2/load-miniflare.ts'])
  })

  test('a test that changes its own process has it for itself: *.alone.test.ts', () => {
    const tests = codeBelow('test').filter((path) => path.endsWith('.test.ts'))
    const changes = (path: string) =>
      /\bvi\.(?!fn\b)\w+/.test(bareCode(readFileSync(join(root, path), 'utf8')))
    const isAlone = (path: string) => path.endsWith('.alone.test.ts')
    expect(tests.filter((path) => changes(path) !== isAlone(path))).toEqual([])
  })

  test('no file is longer than 250 lines', () => {
    const folders = ['src', 'test', '.build']
    const long = folders.flatMap(codeBelow).filter((path) => lines(path) > 250)
    expect(long).toEqual([])
  })

  test('half of the files have 80 lines or fewer', () => {
    const sizes = files.map((file) => lines(join('src', file))).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(80)
  })

  test('no drawer for odds and ends', () => {
    const drawers = /(^|\/)(utils?|helpers?|common|misc|lib)(\/|\.ts$)/
    expect(files.filter((file) => drawers.test(file))).toEqual([])
  })
})

describe('the start', () => {
  test('help and version load nothing but node:', async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['src/cli.ts'],
      outdir: 'nowhere',
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
    })
    const open = ['nowhere/cli.js']
    const inputs = new Set<string>()
    for (const path of open) {
      const output = metafile.outputs[path]
      if (!output) continue
      for (const input of Object.keys(output.inputs)) inputs.add(input)
      for (const { path: next, kind } of output.imports)
        if (kind === 'import-statement' && !open.includes(next)) open.push(next)
    }
    expect([...inputs].sort()).toEqual(['src/cli.ts', 'src/commands.ts', 'src/host.ts'])
  })
})

/** Whether a text reads the global of that name; a variable that is called the same is none. */
async function usesGlobal(text: string, name: string): Promise<boolean> {
  const { code } = await transform(text, { loader: 'ts', define: { [name]: 'THE_GLOBAL' } })
  return code.includes('THE_GLOBAL')
}

function codeBelow(folder: string): string[] {
  const skipped = /(^|\/)(node_modules|vendor|golden)\//
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|mjs|rb)$/.test(path) && !skipped.test(path))
    .map((path) => join(folder, path))
    .filter((path) => existsSync(join(root, path)))
}

function lines(path: string): number {
  return readFileSync(join(root, path), 'utf8').split('\n').length - 1
}
