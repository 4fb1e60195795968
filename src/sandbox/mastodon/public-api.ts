import type { EnvValues } from './uploads.ts'

/** What Mastodon's API answers to anybody: status and JSON. */
export interface ApiAnswer {
  readonly status: number
  readonly body: object
}

/** One post for each attachment, with its id; an account for each avatar, called `u` and its id. */
export interface ApiOptions {
  readonly host: string
  /** Keys of its media. */
  readonly keys: readonly string[]
  readonly settings: EnvValues
}

/**
 * `GET /api/v1/statuses/:id` and `GET /api/v1/accounts/lookup?acct=` with the fields that hold addresses
 * of media (Mastodon docs, entities: Status, MediaAttachment, Account). Undefined for any other path.
 */
export function publicApi(url: string, options: ApiOptions): ApiAnswer | undefined {
  const { pathname, searchParams } = new URL(url, `https://${options.host}`)
  const id = /^\/api\/v1\/statuses\/(\d+)$/.exec(pathname)?.[1]
  if (id !== undefined) return found(statusOf(id, options))
  if (pathname !== '/api/v1/accounts/lookup') return undefined
  return found(accountOf(searchParams.get('acct') ?? '', options))
}

function found(body: object | undefined): ApiAnswer {
  return body === undefined
    ? { status: 404, body: { error: 'Record not found' } }
    : { status: 200, body }
}

function statusOf(id: string, options: ApiOptions): object | undefined {
  const files = filesOf('media_attachments/files', id, options)
  const [url, small] = [urlOf(files, 'original', options), urlOf(files, 'small', options)]
  if (url === undefined) return undefined
  const attachment = { id, type: 'image', url, preview_url: small ?? url, remote_url: null }
  const uri = `https://${options.host}/users/somebody/statuses/${id}`
  return { id, uri, visibility: 'public', reblog: null, media_attachments: [attachment] }
}

function accountOf(name: string, options: ApiOptions): object | undefined {
  const id = /^u(\d+)$/.exec(name)?.[1]
  const files = id === undefined ? [] : filesOf('accounts/avatars', id, options)
  const avatar = urlOf(files, 'original', options)
  if (id === undefined || avatar === undefined) return undefined
  const still = urlOf(files, 'static', options) ?? avatar
  const missing = `https://${options.host}/headers/original/missing.png`
  const pictures = { avatar, avatar_static: still, header: missing, header_static: missing }
  return { id, username: name, acct: name, ...pictures }
}

/** Of its own, and of other servers. */
function filesOf(folder: string, id: string, { keys }: ApiOptions): string[] {
  return keys.filter((key) => {
    const [, below, digits = ''] = /^(?:cache\/)?([a-z_]+\/[a-z_]+)\/((?:\d{3}\/)+)/.exec(key) ?? []
    return below === folder && digits.replaceAll('/', '').replace(/^0+/, '') === id
  })
}

function urlOf(files: readonly string[], style: string, options: ApiOptions): string | undefined {
  const key = files.find((file) => file.includes(`/${style}/`))
  if (key === undefined) return undefined
  const { host, settings } = options
  const alias = settings.get('S3_ALIAS_HOST') ?? ''
  const isOnS3 = settings.get('S3_ENABLED') === 'true' && alias !== ''
  return isOnS3 ? `https://${alias}/${key}` : `https://${host}/system/${key}`
}
