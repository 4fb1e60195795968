// Bundles src/ into dist/: a few chunks, each loaded when it is needed, no runtime dependencies.
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { thirdPartyLicences } from './licences.mjs'

const root = new URL('..', import.meta.url)
const outdir = new URL('dist/', root).pathname

await rm(outdir, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root.pathname,
  entryPoints: ['src/cli.ts'],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  external: ['miniflare'],
  chunkNames: '[name]-[hash]',
  banner: {
    // Bundled CommonJS packages ask for Node's own modules with require.
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
})
await refuseForeignImports(metafile)
await chmod(`${outdir}cli.js`, 0o755)
await writeFile(`${outdir}THIRD-PARTY-LICENSES.txt`, await thirdPartyLicences(metafile, root))

/** A bundled file that imports a package would fail on the user's machine. */
async function refuseForeignImports({ outputs }) {
  const foreign = Object.values(outputs).flatMap(({ imports }) =>
    imports
      .filter(({ path, external }) => external && !path.startsWith('node:'))
      .map(({ path }) => path),
  )
  const { builtinModules } = await import('node:module')
  const packages = foreign.filter((path) => !builtinModules.includes(path) && path !== 'miniflare')
  if (packages.length > 0)
    throw new Error(`The bundle imports ${[...new Set(packages)].join(', ')}.`)
  const text = await readFile(`${outdir}cli.js`, 'utf8')
  if (!text.startsWith('#!')) throw new Error('dist/cli.js has lost its first line.')
}
