// Bundles src/ into dist/: a few chunks, each loaded when it is needed, no runtime dependencies.
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { thirdPartyLicences } from './licences.mjs'
import { oneChunk } from './one-chunk.mjs'
import { withoutAwsSurroundings } from './without-aws-surroundings.mjs'

const root = new URL('..', import.meta.url)
const outdir = new URL('dist/', root)

/** The table of commands is read; what it loads is not. */
const withoutCommands = {
  name: 'without-commands',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ path, importer, kind }) =>
      kind === 'dynamic-import' && importer.endsWith('/src/commands.ts')
        ? { path, external: true }
        : undefined,
    )
  },
}

const options = {
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['src/cli.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // What a package offers as ES modules can be left out in parts: most of the S3 client is not needed.
  mainFields: ['module', 'main'],
  target: 'node20.19',
  minify: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
  external: ['miniflare'],
  chunkNames: '[name]-[hash]',
  plugins: [withoutAwsSurroundings()],
}
const plugins = [...options.plugins, await oneChunk(options)]
const { metafile, outputFiles } = await build({ ...options, plugins })
refuseForeignImports(metafile)
refuseSlowStart(metafile)
const licences = await thirdPartyLicences(metafile, root)
await replaceFolder(outdir, [
  ...outputFiles.map(({ path, text }) => [basename(path), withRequire(withFirstLines(text))]),
  ['THIRD-PARTY-LICENSES.txt', licences],
])
await chmod(new URL('cli.js', outdir), 0o755)
await replaceFolder(new URL('man/', root), [...(await manualPages())])

/**
 * Node looks for an --env-file of its own even behind the script's name, and ends when that file
 * does not exist; only `--` stops it (nodejs/node issue 54232). A first line can't say that on every
 * system, so sh does: it runs the second line, which is a string and a comment to Node.
 */
function withFirstLines(text) {
  return text.replace(/^#!.*\n/, `#!/bin/sh\n':' //; exec node -- "$0" "$@"\n`)
}

/** Bundled CommonJS packages ask for Node's own modules with require; the start has none of them. */
function withRequire(text) {
  if (!/\brequire\b/.test(text)) return text
  return `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);${text}`
}

/** A bundled file that imports a package would fail on the user's machine. */
function refuseForeignImports({ outputs }) {
  const foreign = Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external && !isBuiltin(path) && path !== 'miniflare')
    .map(({ path }) => path)
  if (foreign.length > 0) throw new Error(`The bundle imports ${[...new Set(foreign)].join(', ')}.`)
}

function isBuiltin(path) {
  return path.startsWith('node:') || builtinModules.includes(path)
}

/** What cli.js loads before it knows the command holds no package: help must come at once. */
function refuseSlowStart({ outputs }) {
  const open = ['dist/cli.js']
  for (const path of open) {
    const { imports, inputs } = outputs[path]
    const packages = Object.keys(inputs).filter((input) => input.includes('node_modules/'))
    if (packages.length > 0) throw new Error(`The start loads ${packages.join(', ')}.`)
    for (const { path: next, kind, external } of imports)
      if (kind === 'import-statement' && !external && !open.includes(next)) open.push(next)
  }
}

/** New files first, old ones removed last: a program that runs from dist/ meanwhile stays whole. */
async function replaceFolder(folder, files) {
  await mkdir(folder, { recursive: true })
  for (const [name, contents] of files) await writeFile(new URL(name, folder), contents)
  const names = new Set(files.map(([name]) => name))
  const old = (await readdir(folder)).filter((name) => !names.has(name))
  for (const name of old) await rm(new URL(name, folder), { recursive: true, force: true })
}

/** The pages of `.build/man.ts`, which is written in the language of the tables that it reads. */
async function manualPages() {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(root),
    entryPoints: ['.build/man.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    plugins: [withoutCommands],
  })
  const text = Buffer.from(outputFiles[0].contents).toString('base64')
  const { manual } = await import(`data:text/javascript;base64,${text}`)
  const { version, homepage } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  return manual({ version, homepage, date: await dayOfChange() })
}

/** Of the newest release, or of the last commit before the first one: whoever builds it, it is the same. */
async function dayOfChange() {
  const changes = await readFile(new URL('CHANGELOG.md', root), 'utf8')
  const [, released] = /^## \[\d[^\]]*\] - (\d{4}-\d\d-\d\d)$/m.exec(changes) ?? []
  if (released !== undefined) return released
  try {
    return execFileSync('git', ['log', '-1', '--format=%cs'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return '1970-01-01'
  }
}
