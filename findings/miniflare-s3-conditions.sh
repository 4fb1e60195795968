#!/usr/bin/env bash
# miniflare 4.20260730.0, the S3 door of Cloudflare's R2 emulator, with @aws-sdk/client-s3 3.1169.0;
# Node 20.20.2, 2026-11-30.
#
# The door is strict: a header that it does not know how to serve (a redirect, a tag, an ACL of a grantee)
# is answered with 501. But what guards an object is obeyed by one of three operations: "If-None-Match: *"
# on PutObject keeps what is there (412); on CompleteMultipartUpload and on CopyObject the answer is 200,
# and what was there is gone. So an upload with such a guard is safe up to the size from which the SDK
# sends parts, and not above. R2's page on conditional operations has that header for
# CompleteMultipartUpload, too, and for a copy cf-copy-destination-if-none-match, which the emulator passes
# over alike.
#
# Output seen:
#   PutObject of a key that is there: 412 PreconditionFailed, holds "first"
#   CompleteMultipartUpload: 200, holds "parts"
#   CopyObject, if-none-match: 200, holds "other"
#   CopyObject, cf-copy-destination-if-none-match: 200, holds "other"
#   x-amz-website-redirect-location: 501 NotImplemented, holds ""
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
  maxAttempts: 1,
})
const Bucket = 'media'
const send = (name, input) => client.send(new aws[`${name}Command`]({ Bucket, ...input }))
const held = (Key) =>
  send('GetObject', { Key }).then(({ Body }) => Body.transformToString(), () => '')
const told = async (what, Key, trial) => {
  const answer = await trial.then(
    ({ $metadata }) => `${$metadata.httpStatusCode}`,
    ({ $metadata, name }) => `${$metadata.httpStatusCode} ${name}`,
  )
  console.log(`${what}: ${answer}, holds "${await held(Key)}"`)
}
const first = async (Key) => {
  await send('PutObject', { Key, Body: 'first' })
  return { Key, IfNoneMatch: '*' }
}

const put = await first('put')
await told('PutObject of a key that is there', 'put', send('PutObject', { ...put, Body: 'second' }))

const parts = await first('parts')
const { UploadId } = await send('CreateMultipartUpload', { Key: 'parts' })
const { ETag } = await send('UploadPart', { Key: 'parts', UploadId, PartNumber: 1, Body: 'parts' })
const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
const completed = send('CompleteMultipartUpload', { ...parts, UploadId, MultipartUpload })
await told('CompleteMultipartUpload', 'parts', completed)

await send('PutObject', { Key: 'source', Body: 'other' })
const copy = { ...(await first('copied')), CopySource: 'media/source' }
await told('CopyObject, if-none-match', 'copied', send('CopyObject', copy))
await first('copied')
const command = new aws.CopyObjectCommand({ Bucket, Key: 'copied', CopySource: 'media/source' })
command.middlewareStack.add(
  (next) => (args) => {
    args.request.headers['cf-copy-destination-if-none-match'] = '*'
    return next(args)
  },
  { step: 'build' },
)
await told('CopyObject, cf-copy-destination-if-none-match', 'copied', client.send(command))

const to = { Key: 'redirect', Body: 'body', WebsiteRedirectLocation: '/there' }
await told('x-amz-website-redirect-location', 'redirect', send('PutObject', to))
await emulator.dispose()
process.exit()
END
seen=$(timeout 100 node --no-warnings try.mjs 2>/dev/null)
echo "$seen"
expected='PutObject of a key that is there: 412 PreconditionFailed, holds "first"
CompleteMultipartUpload: 200, holds "parts"
CopyObject, if-none-match: 200, holds "other"
CopyObject, cf-copy-destination-if-none-match: 200, holds "other"
x-amz-website-redirect-location: 501 NotImplemented, holds ""'
if [[ $seen == "$expected" ]]; then echo 'as found'; else echo 'CHANGED' && exit 1; fi
