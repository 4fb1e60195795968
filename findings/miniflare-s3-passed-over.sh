#!/usr/bin/env bash
# Guess: what is not served is refused, since this door answers 501 to each header and parameter that it does
# not know; and If-Unmodified-Since with the very date that the object was told to be of is fulfilled.
# Seen: guards of a DELETE, If-Range and response-* are passed over; and that date is refused.
#
# miniflare 4.20260730.0, the S3 door of Cloudflare's R2 emulator, with @aws-sdk/client-s3 3.1169.0;
# Node 20.20.2, 2026-11-30.
#
# - DeleteObject with an If-Match that is not so, and DeleteObjects with such an ETag: the object is gone, with
#   204 and "Deleted". So "remove what I have read, unless it has changed" removes what has changed.
# - If-Unmodified-Since with the object's own Last-Modified: 412, also of a PUT and of a copy's source. HTTP's
#   dates are in seconds, the emulator compares milliseconds; a second later it is fulfilled. If-Modified-Since
#   with the same date is answered with 304, as it has to be.
# - A part with an If-Range of before: 206 with a part of the new object, not 200 with all of it. A download
#   that goes on where it stopped ends as two halves of two files.
# - A signed response-content-disposition: 200 without it, so a link to download opens in the browser.
# - Two ranges at once, or a unit other than bytes: 400, where HTTP passes what it doesn't know over.
#
# Output seen:
#   DeleteObject, If-Match of before: 204, then 404
#   DeleteObjects, ETag of before: Deleted, then 404
#   If-Unmodified-Since, its own date: GET 412, PUT 412, copy 412; a second later: GET 200
#   If-Modified-Since, its own date: 304
#   If-Range of before: 206 "new"
#   response-content-disposition: 200 undefined; response-content-type: 200 image/png
#   bytes=0-0,2-2: 400; items=0-1: 400
#   a header that is not served: 501; a parameter of a list: 501
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
const status = (trial) => trial.then(({ $metadata }) => $metadata, ({ $metadata }) => $metadata)
  .then(({ httpStatusCode }) => httpStatusCode)
const withHeader = (name, input, headers, query = {}) => {
  const command = new aws[`${name}Command`]({ Bucket, ...input })
  const add = (next) => (args) => {
    Object.assign(args.request.headers, headers)
    Object.assign(args.request.query, query)
    return next(args)
  }
  command.middlewareStack.add(add, { step: 'build' })
  return client.send(command)
}
const Key = 'picture'
const put = (Body) => send('PutObject', { Key, Body, ContentType: 'image/png' })
const { ETag: before } = await put('old')

await put('new')
const one = await status(withHeader('DeleteObject', { Key }, { 'if-match': before }))
console.log(`DeleteObject, If-Match of before: ${one}, then ${await status(send('HeadObject', { Key }))}`)
await put('new')
const { Deleted } = await send('DeleteObjects', { Delete: { Objects: [{ Key, ETag: before }] } })
const many = Deleted?.[0]?.Key === Key ? 'Deleted' : 'not deleted'
console.log(`DeleteObjects, ETag of before: ${many}, then ${await status(send('HeadObject', { Key }))}`)

// Only a date with a part of a second shows it.
let date
do {
  await put('new')
  date = (await send('ListObjectsV2', {})).Contents[0].LastModified
} while (date.getMilliseconds() === 0)
const { LastModified } = await send('HeadObject', { Key })
const own = LastModified.toUTCString()
const later = new Date(LastModified.getTime() + 1000).toUTCString()
const since = (value) => ({ 'if-unmodified-since': value })
const got = await status(withHeader('GetObject', { Key }, since(own)))
const ofCopy = { 'x-amz-copy-source-if-unmodified-since': own }
const copy = { Key: 'copy', CopySource: `media/${Key}` }
const copied = await status(withHeader('CopyObject', copy, ofCopy))
const gotLater = await status(withHeader('GetObject', { Key }, since(later)))
const notModified = await status(withHeader('GetObject', { Key }, { 'if-modified-since': own }))
const stored = await status(withHeader('PutObject', { Key, Body: 'new' }, since(own)))
const all = `GET ${got}, PUT ${stored}, copy ${copied}; a second later: GET ${gotLater}`
console.log(`If-Unmodified-Since, its own date: ${all}`)
console.log(`If-Modified-Since, its own date: ${notModified}`)

const part = await withHeader('GetObject', { Key }, { range: 'bytes=0-2', 'if-range': before })
console.log(`If-Range of before: ${part.$metadata.httpStatusCode} "${await part.Body.transformToString()}"`)
const asked = { ResponseContentDisposition: 'attachment', ResponseContentType: 'text/plain' }
const answer = await send('GetObject', { Key, ...asked })
const { ContentDisposition, ContentType, $metadata } = answer
const code = $metadata.httpStatusCode
const type = `response-content-type: ${code} ${ContentType}`
console.log(`response-content-disposition: ${code} ${ContentDisposition}; ${type}`)
await answer.Body.transformToString()
const range = (value) => status(withHeader('GetObject', { Key }, { range: value }))
console.log(`bytes=0-0,2-2: ${await range('bytes=0-0,2-2')}; items=0-1: ${await range('items=0-1')}`)
const header = await status(withHeader('PutObject', { Key, Body: 'new' }, { 'x-amz-tagging': 'a=b' }))
const parameter = await status(withHeader('ListObjectsV2', {}, {}, { unknown: '1' }))
console.log(`a header that is not served: ${header}; a parameter of a list: ${parameter}`)
await emulator.dispose()
process.exit()
END
seen=$(timeout 100 node --no-warnings try.mjs 2>/dev/null)
echo "$seen"
expected='DeleteObject, If-Match of before: 204, then 404
DeleteObjects, ETag of before: Deleted, then 404
If-Unmodified-Since, its own date: GET 412, PUT 412, copy 412; a second later: GET 200
If-Modified-Since, its own date: 304
If-Range of before: 206 "new"
response-content-disposition: 200 undefined; response-content-type: 200 image/png
bytes=0-0,2-2: 400; items=0-1: 400
a header that is not served: 501; a parameter of a list: 501'
if [[ $seen == "$expected" ]]; then echo 'as found'; else echo 'CHANGED' && exit 1; fi
