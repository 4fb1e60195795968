import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { findCycle } from './architecture/cycle.ts'
import { crumbs, smallOnPurpose } from './architecture/grain.ts'
import {
  bareCode,
  findImports,
  type Import,
  readSource,
  sourceFiles,
  src,
} from './architecture/imports.ts'
import { heavy, isAllowed, roomOf } from './architecture/rooms.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = sourceFiles()
const imports = files.flatMap((file) => findImports(file, readSource(file)))
/** The imports of files of ours. */
const own = imports.filter(({ file, target }) => target.endsWith('.ts') && target !== file)
const told = ({ file, kind, target }: Import) => `${file} imports ${target} (${kind})`

describe('the import table', () => {
  test('holds for every import of src', () => {
    expect(imports.length).toBeGreaterThan(files.length)
    expect(imports.filter((at) => !isAllowed(at)).map(told)).toEqual([])
  })

  test.each<[string, Import['kind'], string, boolean]>([
    ['cli.ts', 'value', 'zod', false],
    ['cli.ts', 'value', 'core/nearest.ts', false],
    ['cli.ts', 'dynamic', 'core/nearest.ts', true],
    ['commands.ts', 'value', 'init/init.ts', false],
    ['commands.ts', 'dynamic', 'init/init.ts', true],
    ['help.ts', 'type', 'settings/setting.ts', true],
    ['host.ts', 'value', 'core/problem.ts', false],
    ['init/init.ts', 'value', 'cli.ts', false],
    ['init/init.ts', 'value', 'commands.ts', false],
    ['init/init.ts', 'value', 'setup/cors.ts', true],
    ['init/init.ts', 'value', 'zod', false],
    ['init/init.ts', 'value', 'check/check.ts', true],
    ['check/check.ts', 'type', 'init/init.ts', false],
    ['check/check.ts', 'dynamic', 'init/init.ts', false],
    ['check/check.ts', 'type', 'migrate/line.ts', false],
    ['migrate/migrate.ts', 'dynamic', 'redirects/redirects.ts', true],
    ['redirects/redirects.ts', 'type', 'undo/undo.ts', false],
    ['redirects/redirects.ts', 'type', 'host.ts', true],
    ['redirects/redirects.ts', 'value', 'host.ts', false],
    ['setup/cors.ts', 'value', 'setup/bucket.ts', true],
    ['setup/cors.ts', 'value', 'flow/flow.ts', true],
    ['setup/cors.ts', 'value', 'somewhere/else.ts', false],
    ['somewhere/else.ts', 'value', 'core/problem.ts', false],
    ['flow/flow.ts', 'type', 'setup/cors.ts', false],
    ['plan/apply.ts', 'type', 'services/s3/port.ts', true],
    ['plan/apply.ts', 'value', 'services/s3/port.ts', false],
    ['plan/apply.ts', 'type', 'setup/cors.ts', false],
    ['plan/report.ts', 'value', 'zod', true],
    ['plan/apply.ts', 'value', 'zod', false],
    ['migrate/settings.ts', 'value', 'zod', true],
    ['settings/catalog.ts', 'value', 'plan/step.ts', false],
    ['settings/catalog.ts', 'type', 'services/mastodon/port.ts', false],
    ['settings/catalog.ts', 'value', 'template.ts', true],
    ['ui/clack.ts', 'value', '@clack/prompts', true],
    ['ui/plain.ts', 'value', '@clack/prompts', false],
    ['ui/plain.ts', 'type', 'plan/report.ts', true],
    ['ui/plain.ts', 'value', 'plan/report.ts', false],
    ['services/s3/client.ts', 'value', 'services/mastodon/find.ts', false],
    ['services/s3/client.ts', 'value', 'services/process/run.ts', false],
    ['services/rclone/commands.ts', 'value', 'services/process/port.ts', true],
    ['services/mastodon/find.ts', 'value', 'execa', false],
    ['services/cloudflare/keys.ts', 'value', 'cloudflare/tree-shakable', false],
    ['sandbox/api/accounts.ts', 'type', 'cloudflare/resources/zones/zones', true],
    ['sandbox/api/accounts.ts', 'value', 'cloudflare/resources/zones/zones', false],
    ['sandbox/api/accounts.ts', 'type', 'services/cloudflare/port.ts', false],
    ['sandbox/sandbox.ts', 'type', 'host.ts', false],
    ['core/problem.ts', 'value', 'settings/setting.ts', false],
    ['core/problem.ts', 'value', 'template.ts', false],
    ['core/problem.ts', 'value', 'left-pad', false],
  ])('%s: %s import of %s → %s', (file, kind, target, allowed) => {
    expect(isAllowed({ file, kind, target })).toBe(allowed)
  })

  test('rooms do not import one another in a circle, by type or late either', () => {
    const edges = own.map(({ file, target }) => [roomOf(file), roomOf(target)] as const)
    expect(findCycle(edges.filter(([from, to]) => from !== to))).toBeUndefined()
  })

  test('files do not import one another in a circle, by type or late either', () => {
    expect(findCycle(own.map(({ file, target }) => [file, target] as const))).toBeUndefined()
  })

  test('what costs a command its start is loaded when it is wanted', () => {
    const atOnce = imports.filter(({ kind }) => kind === 'value')
    const weighs = new Set(
      atOnce.filter(({ target }) => heavy.test(target)).map(({ file }) => file),
    )
    expect(weighs.size).toBeGreaterThan(3)
    const dear = (file: string, seen = new Set<string>()): boolean => {
      if (weighs.has(file)) return true
      seen.add(file)
      return atOnce.some((at) => at.file === file && !seen.has(at.target) && dear(at.target, seen))
    }
    const rooms = files.filter((file) => !/^(services|ui|sandbox)\//.test(file))
    expect(rooms.filter((file) => dear(file))).toEqual([])
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
    const computed = files.filter((file) =>
      /\bimport\((?!\s*')|\bcreateRequire\(/.test(bareCode(readSource(file))),
    )
    expect(computed).toEqual(['sandbox/r2/emulator.ts'])
  })

  test('a test that changes its own process has it for itself: *.alone.test.ts', () => {
    const tests = codeBelow('test').filter((path) => path.endsWith('.test.ts'))
    const changes = (path: string) =>
      /\bvi\.(?!fn\b)\w+/.test(bareCode(readFileSync(join(root, path), 'utf8')))
    const isAlone = (path: string) => path.endsWith('.alone.test.ts')
    expect(tests.filter((path) => changes(path) !== isAlone(path))).toEqual([])
  })

  test('no drawer for odds and ends', () => {
    const drawers = /(^|\/)(utils?|helpers?|common|misc|lib)(\/|\.ts$)/
    expect(files.filter((file) => drawers.test(file))).toEqual([])
  })
})

describe('the grain', () => {
  const sizes = new Map(files.map((file) => [file, lines(join('src', file))]))

  test('no file is longer than 450 lines', () => {
    const long = ['src', 'test', '.build'].flatMap(codeBelow).filter((path) => lines(path) > 450)
    expect(long).toEqual([])
  })

  test('nine of ten files have 300 lines or fewer', () => {
    const sorted = [...sizes.values()].sort((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThanOrEqual(300)
  })

  test('a crumb lies in the file that needs it, but for those with a reason', () => {
    expect(crumbs(sizes, imports)).toEqual(Object.keys(smallOnPurpose).sort())
  })

  test.each<[string, number, readonly string[], readonly string[]]>([
    ['a small file with one importer', 39, ['a/b.ts'], ['a/small.ts']],
    ['a file of forty lines', 40, ['a/b.ts'], []],
    ['a small file with two importers', 10, ['a/b.ts', 'a/c.ts'], []],
    ['a small file that is imported twice by one', 10, ['a/b.ts', 'a/b.ts'], ['a/small.ts']],
    ['a small file that starts the program', 10, [], []],
  ])('a crumb or none: %s', (_, count, importers, expected) => {
    const edges = importers.map((file) => ({ file, kind: 'type', target: 'a/small.ts' }) as const)
    expect(crumbs(new Map([['a/small.ts', count]]), edges)).toEqual(expected)
  })

  test('tests stand in the rooms of what they test', () => {
    const besides = /^test\/(architecture|bench|contract|e2e|fakes|package|ruby|survival)\//
    const astray = codeBelow('test')
      .filter((path) => path.endsWith('.test.ts') && !besides.test(path))
      .filter((path) => !existsSync(join(root, 'src', dirname(path.slice('test/'.length)))))
    expect(astray).toEqual([])
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
    expect([...inputs].sort()).toEqual([
      'src/cli.ts',
      'src/columns.ts',
      'src/commands.ts',
      'src/host.ts',
    ])
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
