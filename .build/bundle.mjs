// Bundles src/ into dist/: a few chunks, each loaded when it is needed, no runtime dependencies.
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { thirdPartyLicences } from './licences.mjs'
import { withoutAwsSurroundings } from './without-aws-surroundings.mjs'

const root = new URL('..', import.meta.url)
const outdir = new URL('dist/', root)

const { metafile, outputFiles } = await build({
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
})
refuseForeignImports(metafile)
refuseSlowStart(metafile)
const licences = await thirdPartyLicences(metafile, root)
await replaceDist([
  ...outputFiles.map(({ path, text }) => [basename(path), withRequire(withFirstLines(text))]),
  ['THIRD-PARTY-LICENSES.txt', licences],
])

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
async function replaceDist(files) {
  await mkdir(outdir, { recursive: true })
  for (const [name, contents] of files) await writeFile(new URL(name, outdir), contents)
  await chmod(new URL('cli.js', outdir), 0o755)
  const names = new Set(files.map(([name]) => name))
  const old = (await readdir(outdir)).filter((name) => !names.has(name))
  for (const name of old) await rm(new URL(name, outdir), { recursive: true, force: true })
}
