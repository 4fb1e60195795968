import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Packed {
  readonly filename: string
  /** Bytes. */
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[]
}

export interface Tarball {
  readonly packed: Packed
  /** Path of the .tgz. */
  readonly file: string
  /** A folder for all that a test leaves behind, with nothing of ours above it. */
  readonly folder: string
  /** Installs it into a new empty folder and gives the path of its cli.js. */
  install(): Promise<string>
  remove(): Promise<void>
}

/** Packs what dist/ holds now. Throws when nothing was built. */
export async function packTarball(): Promise<Tarball> {
  if (!existsSync(join(root, 'dist/cli.js'))) throw new Error('There is no dist/: npm run build')
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mastodon-r2-package-')))
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await exec('npm', args, { cwd: root })
  const [packed] = JSON.parse(stdout) as Packed[]
  if (!packed) throw new Error('npm pack made nothing.')
  const file = join(folder, packed.filename)
  return {
    packed,
    file,
    folder,
    async install() {
      const to = await mkdtemp(join(folder, 'installed-'))
      await exec('npm', ['install', '--offline', '--no-audit', '--no-fund', '--prefix', to, file])
      return join(to, 'node_modules/mastodon-r2/dist/cli.js')
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** npm's folder for what npx installs, with the downloads of the usual one: nothing is left there. */
export async function ownNpmCache(folder: string): Promise<string> {
  const { stdout } = await exec('npm', ['config', 'get', 'cache'])
  const cache = join(folder, 'npm-cache')
  const usual = join(stdout.trim(), '_cacache')
  await mkdir(usual, { recursive: true })
  await mkdir(cache)
  await symlink(usual, join(cache, '_cacache'))
  return cache
}
