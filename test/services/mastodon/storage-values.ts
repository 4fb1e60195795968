/** The nine lines as init would write them. */
export const storageValues: ReadonlyMap<string, string> = new Map([
  ['S3_ENABLED', 'true'],
  ['S3_BUCKET', 'social-example-media'],
  ['S3_REGION', 'auto'],
  ['S3_ENDPOINT', 'https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com'],
  ['S3_PROTOCOL', 'https'],
  ['S3_PERMISSION', ''],
  ['S3_ALIAS_HOST', 'files.social.example'],
  ['AWS_ACCESS_KEY_ID', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['AWS_SECRET_ACCESS_KEY', 'b'.repeat(64)],
])
