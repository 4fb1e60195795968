import { render } from '../template.ts'
import { type OldPrefix, prefixName } from './old-prefix.ts'
import type { WebServer } from './port.ts'

/** Names below templates/. `here`: files of this machine come first. */
export function webServerTemplate(kind: WebServer, here: boolean): string {
  const ending = { nginx: 'conf', caddy: 'txt' } as const
  return `redirect-${kind}${here ? '' : '-away'}.${ending[kind]}`
}

export interface WebServerWish {
  readonly kind: WebServer
  readonly prefix: OldPrefix
  readonly mediaHost: string
  readonly status: 301 | 302
  /** Folder that the web server serves files from, where there are any at the old address. */
  readonly publicFolder: string | undefined
}

/** The block for the web server's configuration. */
export function webServerText(template: string, wish: WebServerWish): string {
  const { kind, prefix, mediaHost, status, publicFolder } = wish
  const names = {
    PREFIX: `https://${prefixName(prefix)}`,
    MEDIA_HOST: mediaHost,
    HOST: prefix.host,
    PATH: prefix.path,
  }
  const how =
    kind === 'nginx'
      ? {
          PATTERN: prefix.path.replaceAll('.', '\\.'),
          FLAG: status === 301 ? 'permanent' : 'redirect',
        }
      : { STATUS: String(status) }
  const root = publicFolder === undefined ? {} : { ROOT: rootOf(wish, publicFolder) }
  const named = kind === 'nginx' && publicFolder !== undefined ? { NAME: locationName(prefix) } : {}
  return render(template, { ...names, ...how, ...root, ...named })
}

/** Of nginx's second location; a server block may have one for each path. */
function locationName({ path }: OldPrefix): string {
  return `mastodon_r2${path.replaceAll(/\W+/g, '_').replace(/_$/, '')}`
}

/** nginx looks for the whole path below its root, Caddy for what follows the prefix. */
function rootOf({ kind, prefix }: WebServerWish, folder: string): string {
  const path = kind === 'nginx' ? folder : `${folder.replace(/\/$/, '')}${prefix.path}`
  return /^[\w./@+-]+$/.test(path) ? path : `"${path.replaceAll(/["\\]/g, '\\$&')}"`
}
