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
import { withoutFetch } from './without-fetch.mjs'

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

/** As a module of its own Node would work out all that the process could tell, 2 ms of a start. */
const processAsItIs = {
  name: 'process-as-it-is',
  setup({ onResolve, onLoad }) {
    const namespace = 'process-as-it-is'
    onResolve({ filter: /^(node:)?process$/ }, ({ path }) => ({ path, namespace }))
    const names = 'env, execArgv, execPath, hrtime, platform, stdin, stdout, versions'
    const contents = `export default process\nexport const { ${names} } = process\n`
    onLoad({ filter: /.*/, namespace }, () => ({ contents }))
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
  plugins: [withoutAwsSurroundings(), withoutFetch(), processAsItIs],
}
const plugins = [...options.plugins, await oneChunk(options)]
const { metafile, outputFiles } = await build({ ...options, plugins })
refuseForeignImports(metafile)
refuseSlowStart(metafile)
refuseSlowQuestion(metafile)
const licences = await thirdPartyLicences(metafile, root)
await replaceFolder(outdir, [
  ...outputFiles.map(({ path, text }) => [
    basename(path),
    withRequire(withFirstLines(withoutEmptyImports(text, metafile))),
  ]),
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

/** What esbuild itself adds to modules does nothing by itself: where nothing of it is used, no file is read. */
function withoutEmptyImports(text, { outputs }) {
  const own = Object.entries(outputs).filter(([, { inputs }]) => Object.keys(inputs).length === 0)
  return own.reduce((left, [path]) => left.replace(`import"./${basename(path)}";`, ''), text)
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
  const packages = packagesOf(outputs, 'dist/cli.js')
  if (packages.length > 0) throw new Error(`The start loads ${packages.join(', ')}.`)
}

/** Until its first question `init` loads what draws it, nothing that checks answers or talks to anybody. */
function refuseSlowQuestion({ outputs }) {
  const screen = /node_modules\/(@clack\/|sisteransi\/|fast-(string|wrap)-)/
  const [first] = Object.keys(outputs).filter((path) =>
    outputs[path].entryPoint?.endsWith('/src/init/init.ts'),
  )
  const packages = packagesOf(outputs, first).filter((input) => !screen.test(input))
  if (packages.length === 0) return
  throw new Error(`The first question of init waits for ${packages.join(', ')}.`)
}

/** Files of packages that a file of ours loads at once. */
function packagesOf(outputs, from) {
  const open = [from]
  for (const path of open)
    for (const { path: next, kind, external } of outputs[path].imports)
      if (kind === 'import-statement' && !external && !open.includes(next)) open.push(next)
  const inputs = open.flatMap((path) => Object.keys(outputs[path].inputs))
  return inputs.filter((input) => input.includes('node_modules/'))
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
