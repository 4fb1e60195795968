import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Problem } from '../../core/problem.ts'

/** The release whose S3 front the sandbox stands on: 5.x has another constructor, 4.20260426 no S3. */
export const MINIFLARE_VERSION = '4.20260730.0'

type Miniflare = typeof import('miniflare')

/** How the package is found and loaded; tests put their own in. */
export interface ModuleLoader {
  /** Path of the package's main file; throws when it is not installed. */
  resolve(name: string): string
  load(path: string): Promise<unknown>
}

const nodeLoader: ModuleLoader = {
  resolve: (name) => createRequire(import.meta.url).resolve(name),
  load: (path) => import(pathToFileURL(path).href),
}

/**
 * Path of Cloudflare's emulator, which is not part of the package (170 MB).
 * Throws Problem `sandbox-needs-miniflare` when it is missing or of another version.
 */
export async function locateMiniflare(loader: ModuleLoader = nodeLoader): Promise<string> {
  let path: string
  try {
    path = loader.resolve('miniflare')
  } catch (cause) {
    throw needed("Cloudflare's R2 emulator is not installed.", cause)
  }
  const version = await versionAt(path)
  if (version === MINIFLARE_VERSION) return path
  throw needed(`Version ${version} of Cloudflare's R2 emulator is installed.`)
}

/** Loads it, which takes most of a second. Throws what locateMiniflare throws. */
export async function loadMiniflare(loader: ModuleLoader = nodeLoader): Promise<Miniflare> {
  return (await loader.load(await locateMiniflare(loader))) as Miniflare
}

async function versionAt(mainFile: string): Promise<string> {
  const folder = join('node_modules', 'miniflare') + sep
  const end = mainFile.lastIndexOf(folder)
  if (end < 0) return 'unknown'
  const text = await readFile(join(mainFile.slice(0, end + folder.length), 'package.json'), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
}

function needed(what: string, cause?: unknown): Problem {
  return new Problem(
    {
      code: 'sandbox-needs-miniflare',
      what,
      why: `The sandbox runs on miniflare ${MINIFLARE_VERSION}, which is too large to ship along.`,
      next: `npx -p mastodon-r2 -p miniflare@${MINIFLARE_VERSION} mastodon-r2 init --sandbox`,
    },
    { cause },
  )
}
