import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A file of src as a module that Node can load, in a folder of the caller's; returns its path. */
export async function bundled(folder, ...sources) {
  const entryPoints = sources.map((source) =>
    fileURLToPath(new URL(`../../src/${source}`, import.meta.url)),
  )
  await build({
    entryPoints,
    outdir: folder,
    outbase: fileURLToPath(new URL('../../src', import.meta.url)),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  return folder
}
