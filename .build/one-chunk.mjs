import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'

const COMMON = 'what-init-begins-with'
const DOOR = 'loaded-later'

/** A lazy import of names, or one ahead of time. */
const LATER = /(?:const {([\w, ]+)} = await|void) import\('([./\w-]+)'\)/g

/**
 * What `init` loads before its first question as one chunk: esbuild makes one of each set of files
 * that the same lazy imports share, dozens for `init`, and each costs a start about a millisecond. So
 * every lazy import leads to them all. What is among them itself is then loaded through a door, a file
 * that passes it on: a lazy import of its own would part it from the others. The start is one, too.
 */
export async function oneChunk(options) {
  const { metafile } = await build({ ...options, metafile: true, write: false })
  const { inputs, outputs } = metafile
  const start = reachable(inputs, 'src/cli.ts')
  const needed = reachable(inputs, 'src/init/init.ts', 'src/ui/clack.ts')
  const shared = [...new Set([...start, ...needed])].filter(isOurs)
  const lazy = Object.values(outputs)
    .flatMap(({ entryPoint }) => entryPoint ?? [])
    .filter((path) => path !== 'src/cli.ts')
  const inShared = (path) => shared.includes(path)
  const root = options.absWorkingDir
  const imports = shared
    .filter((path) => path !== 'src/cli.ts')
    .map((path) => `import ${JSON.stringify(resolve(root, path))}`)
    .join('\n')
  return {
    name: 'one-chunk',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${COMMON}$`) }, ({ path }) => ({ path, namespace: COMMON }))
      onLoad({ filter: /.*/, namespace: COMMON }, () => ({ contents: imports, resolveDir: root }))
      onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
        const target = relative(root, join(resolveDir, path))
        if (kind !== 'dynamic-import' || !inShared(target)) return undefined
        return { path: resolve(root, target), namespace: DOOR }
      })
      onLoad({ filter: /.*/, namespace: DOOR }, ({ path }) => {
        const contents = `export * from ${JSON.stringify(path)}\nimport '${COMMON}'\n`
        return { contents, resolveDir: root }
      })
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const name = relative(root, path)
        const isBegun = inShared(name) && !start.includes(name)
        if (!isBegun && (!lazy.includes(name) || inShared(name))) return undefined
        const text = await readFile(path, 'utf8')
        const contents = isBegun ? atOnce(text) : `${text}\nimport '${COMMON}'\n`
        return { contents, loader: 'ts' }

        /** What is in the one chunk already is not loaded through a door. */
        function atOnce(source) {
          const found = []
          const left = source.replace(LATER, (whole, names, target) => {
            if (!inShared(relative(root, join(dirname(path), target)))) return whole
            if (names !== undefined) found.push(`import {${names}} from '${target}'\n`)
            return ''
          })
          return found.join('') + left
        }
      })
    },
  }
}

function isOurs(path) {
  return path.startsWith('src/')
}

/** Files that some files import, however far, and not lazily; themselves included. */
function reachable(inputs, ...from) {
  const open = [...from]
  for (const path of open)
    for (const { path: next, kind, external } of inputs[path].imports)
      if (kind !== 'dynamic-import' && !external && !open.includes(next)) open.push(next)
  return open
}
