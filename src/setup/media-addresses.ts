type Settings = ReadonlyMap<string, { readonly value: string }>

/** Where addresses of media begin, with some settings of Mastodon; what follows is the object's key. */
export interface MediaAddress {
  /** In small letters; with its port where it has one. */
  readonly host: string
  /** Begins and ends with a slash. */
  readonly path: string
  /** `files`: a web server with Mastodon's own folder; `alias`: a host that was named for it; `provider`: the S3 provider's own host. */
  readonly served: 'files' | 'alias' | 'provider'
}

/**
 * As Mastodon makes them (its config/initializers/paperclip.rb, and full_asset_url for CDN_HOST, which
 * stands before files of its own disk only). Empty where that is not known, as for Azure.
 */
export function mediaAddresses(settings: Settings, instanceHost: string): readonly MediaAddress[] {
  const of = (name: string) => settings.get(name)?.value.trim() ?? ''
  if (of('S3_ENABLED') === 'true')
    return addressOf(bucketUrl(settings), servedBy(of), keyPrefix(of))
  if (of('SWIFT_ENABLED') === 'true') return addressOf(of('SWIFT_OBJECT_URL'), 'provider')
  if (of('AZURE_ENABLED') === 'true') return []
  const root = of('PAPERCLIP_ROOT_URL') || '/system'
  if (/^(https?:)?\/\//i.test(root)) return addressOf(root.replace(/^\/\//, 'https://'), 'files')
  const path = `/${root.replace(/^\/+/, '')}`
  const own = addressOf(`https://${instanceHost}${path}`, 'files')
  const cdn = of('CDN_HOST')
  if (cdn === '') return own
  return [...own, ...addressOf(`${withScheme(cdn).replace(/\/+$/, '')}${path}`, 'files')]
}

/**
 * Where people fetch media of a bucket, without a slash at the end: the alias host, else host and
 * bucket as kt-paperclip joins them (`:s3_path_url`), whatever style the requests have.
 */
export function bucketUrl(settings: Settings): string {
  const of = (name: string) => settings.get(name)?.value.trim() ?? ''
  const protocol = of('S3_PROTOCOL') || 'https'
  const alias = aliasOf(of)
  if (alias !== '') return `${protocol}://${alias}`
  const host = of('S3_HOSTNAME') || `s3-${of('S3_REGION') || 'us-east-1'}.amazonaws.com`
  return `${protocol}://${host}/${of('S3_BUCKET')}`
}

type Of = (name: string) => string

/** A scheme in front is a common mistake. */
function aliasOf(of: Of): string {
  const alias = of('S3_ALIAS_HOST') || of('S3_CLOUDFRONT_HOST')
  return alias.replace(/^https?:\/\//i, '').replace(/\/+$/, '')
}

/** A host that is named as S3_HOSTNAME alone may be one of the person's own; the S3 endpoint's is not for a rule. */
function servedBy(of: Of): 'alias' | 'provider' {
  if (aliasOf(of) !== '') return 'alias'
  const host = of('S3_HOSTNAME').toLowerCase()
  if (host === '' || /(^|\.)amazonaws\.com(\.cn)?$/.test(host)) return 'provider'
  const endpoint = of('S3_ENDPOINT')
  const api = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
  return host === api || api === '' ? 'provider' : 'alias'
}

function keyPrefix(of: Of): string {
  return of('S3_KEY_PREFIX').replace(/^\/+|\/+$/g, '')
}

function addressOf(
  text: string,
  served: MediaAddress['served'],
  below = '',
): readonly MediaAddress[] {
  const url = below === '' ? text : `${text.replace(/\/+$/, '')}/${below}`
  if (!URL.canParse(url)) return []
  const { host, pathname } = new URL(url)
  const path = `${pathname.replace(/\/+$/, '')}/`
  return host === '' ? [] : [{ host, path, served }]
}

function withScheme(text: string): string {
  return /^https?:\/\//i.test(text) ? text : `https://${text.replace(/^\/\//, '')}`
}
