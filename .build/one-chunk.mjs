import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { build } from 'esbuild'

const COMMON = 'what-init-begins-with'

/**
 * What `init` loads before its first question as one chunk: esbuild makes one of each set of files
 * that the same lazy imports share, 38 for `init`, and each costs a start about a millisecond. So every
 * file that is loaded lazily imports them all. What the bare start holds stays apart.
 */
export async function oneChunk(options) {
  const { metafile } = await build({ ...options, metafile: true, write: false })
  const { inputs, outputs } = metafile
  const lazy = Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? [])
  const start = reachable(inputs, 'src/cli.ts')
  const needed = reachable(inputs, 'src/init/init.ts', 'src/ui/clack.ts')
  const shared = needed
    .filter((path) => path.startsWith('src/') && !start.includes(path) && !lazy.includes(path))
    .map((path) => `import ${JSON.stringify(resolve(options.absWorkingDir, path))}`)
  // What these import themselves would import itself.
  const heads = ['src/init/init.ts', 'src/ui/clack.ts']
  const eager = lazy.filter((path) => heads.includes(path) || !needed.concat(start).includes(path))
  return {
    name: 'one-chunk',
    setup(building) {
      building.onResolve({ filter: new RegExp(`^${COMMON}$`) }, ({ path }) => {
        return { path, namespace: COMMON }
      })
      building.onLoad({ filter: /.*/, namespace: COMMON }, () => {
        return { contents: shared.join('\n'), resolveDir: options.absWorkingDir }
      })
      building.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        if (!eager.some((name) => resolve(options.absWorkingDir, name) === path)) return undefined
        const text = await readFile(path, 'utf8')
        return { contents: `${text}\nimport '${COMMON}'\n`, loader: 'ts' }
      })
    },
  }
}

/** Files that some files import, however far, and not lazily; themselves included. */
function reachable(inputs, ...from) {
  const open = [...from]
  for (const path of open)
    for (const { path: next, kind, external } of inputs[path].imports)
      if (kind !== 'dynamic-import' && !external && !open.includes(next)) open.push(next)
  return open
}
