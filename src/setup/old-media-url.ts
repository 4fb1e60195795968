/**
 * Where people fetch media from another provider, without a slash at the end: the alias host, else what
 * kt-paperclip makes of host and bucket (Mastodon's config/initializers/paperclip.rb).
 */
export function oldMediaUrl(
  of: (name: string) => string,
  at: {
    readonly bucket: string
    readonly region: string
    readonly isVirtual: boolean
  },
): string {
  const protocol = of('S3_PROTOCOL') || 'https'
  const alias = (of('S3_ALIAS_HOST') || of('S3_CLOUDFRONT_HOST')).replace(/\/+$/, '')
  if (alias !== '') return `${protocol}://${alias}`
  const host = of('S3_HOSTNAME') || `s3-${at.region}.amazonaws.com`
  const usesPath = of('S3_ENDPOINT') !== '' && !at.isVirtual
  return usesPath ? `${protocol}://${host}/${at.bucket}` : `${protocol}://${at.bucket}.${host}`
}
