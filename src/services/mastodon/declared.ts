import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Declared, EnvFileOnDisk, Installation } from './port.ts'

interface Looked {
  readonly kind: Installation['kind']
  readonly envFile: Pick<EnvFileOnDisk, 'realPath'>
  /** The env file was named. */
  readonly isNamed: boolean
  readonly root: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * What makes Mastodon's settings anew from a place of its own, so that a change of the env file here
 * would fail or be lost; undefined where the file itself is what counts.
 */
export async function declaredBy(looked: Looked): Promise<Declared | undefined> {
  const { kind, envFile, isNamed, root, environment } = looked
  const path = join('/', relative(root, envFile.realPath))
  if (path.startsWith('/nix/store/')) return { by: 'nixos', place: path }
  // Set in every container of a pod (kubernetes.io, "Accessing the API from a Pod").
  if (environment.KUBERNETES_SERVICE_HOST !== undefined) return { by: 'kubernetes', place: path }
  if (kind !== 'none' || isNamed) return undefined
  const quadlet = await findQuadlet(root)
  return quadlet === undefined ? undefined : { by: 'quadlet', place: quadlet }
}

/** Where Podman's generator looks for units of the system (podman-systemd.unit(5)). */
const QUADLETS = [
  '/etc/containers/systemd',
  '/run/containers/systemd',
  '/usr/share/containers/systemd',
]

async function findQuadlet(root: string): Promise<string | undefined> {
  for (const folder of QUADLETS) {
    const names = await readdir(join(root, folder)).catch(() => [])
    for (const name of names.filter((one) => one.endsWith('.container')).sort()) {
      const text = await readFile(join(root, folder, name), 'utf8').catch(() => '')
      const [, image = ''] = /^\s*Image\s*=\s*(.*)$/m.exec(text) ?? []
      if (/mastodon|glitch-soc|hometown/i.test(image) && !/streaming/.test(image)) {
        return join(folder, name)
      }
    }
  }
  return undefined
}
