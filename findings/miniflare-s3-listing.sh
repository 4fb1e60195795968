#!/usr/bin/env bash
# miniflare 4.20260730.0, the S3 door of Cloudflare's R2 emulator, with @aws-sdk/client-s3 3.1169.0;
# Node 20.20.2, 2026-11-29.
#
# - A key with a part "." (a/./b), which the SDK signs and sends as it is: 403 SignatureDoesNotMatch. The
#   emulator works the signature out from the address as a browser would tidy it, a/b. "a//b" is fine.
# - ListObjectsV2 with max-keys=0 on a bucket that holds something: IsTruncated is true, and there is no
#   token to go on with. Asked for one key at a time with a delimiter, all pages come, each once.
# - CopyObject of a key onto itself, with nothing to replace, is done; S3 has InvalidRequest for it.
#
# Output seen:
#   a//b: stored, a/./b: SignatureDoesNotMatch
#   max-keys=0: 0 keys, truncated, no token; pages of 1: a/ c
#   copy onto itself: done
# Needs npm (200 MB) and Node. Exits 1 when this changes. Everything stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" miniflare@4.20260730.0 \
  @aws-sdk/client-s3@3.1169.0

cat > try.mjs <<'END'
import * as aws from '@aws-sdk/client-s3'
import { Miniflare, NoOpLog } from 'miniflare'
const credentials = { accessKeyId: 'a'.repeat(32), secretAccessKey: 'b'.repeat(64) }
const emulator = new Miniflare({
  modules: true,
  script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
  compatibilityDate: '2026-01-01',
  host: '127.0.0.1',
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  log: new NoOpLog(),
  r2Persist: './objects',
  r2Buckets: { media: { id: 'media', s3Credentials: credentials } },
})
const { origin } = await emulator.ready
const client = new aws.S3Client({
  endpoint: `${origin}/cdn-cgi/local/r2/s3`,
  region: 'auto',
  credentials,
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  maxAttempts: 1,
})
const Bucket = 'media'
const list = (more) => client.send(new aws.ListObjectsV2Command({ Bucket, ...more }))
const tried = (command) => client.send(command).then(() => 'done', ({ name }) => name)
const stored = async (Key) =>
  (await tried(new aws.PutObjectCommand({ Bucket, Key, Body: 'x' }))).replace('done', 'stored')

await stored('c')
const twice = await stored('a//b')
const none = await list({ MaxKeys: 0 })
const pages = []
let token
do {
  const page = await list({ MaxKeys: 1, Delimiter: '/', ContinuationToken: token })
  pages.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix))
  pages.push(...(page.Contents ?? []).map(({ Key }) => Key))
  token = page.NextContinuationToken
} while (token !== undefined && pages.length < 10)
const copied = await tried(new aws.CopyObjectCommand({ Bucket, Key: 'c', CopySource: 'media/c' }))
console.log(`a//b: ${twice}, a/./b: ${await stored('a/./b')}`)
console.log(
  `max-keys=0: ${none.KeyCount} keys, ${none.IsTruncated ? '' : 'not '}truncated, ` +
    `${none.NextContinuationToken === undefined ? 'no' : 'a'} token; pages of 1: ${pages.join(' ')}`,
)
console.log(`copy onto itself: ${copied}`)
await emulator.dispose()
process.exit()
END
seen=$(timeout 100 node --no-warnings try.mjs 2>/dev/null)
echo "$seen"
expected='a//b: stored, a/./b: SignatureDoesNotMatch
max-keys=0: 0 keys, truncated, no token; pages of 1: a/ c
copy onto itself: done'
if [[ $seen == "$expected" ]]; then echo 'as found'; else echo 'CHANGED' && exit 1; fi
