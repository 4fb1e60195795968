#!/usr/bin/env bash
# miniflare 4.20260730.0, the S3 door of Cloudflare's R2 emulator; rclone 1.60.1 (Debian 12) and
# @aws-sdk/client-s3 3.1169.0, Node 20.20.2; 2026-11-30.
#
# rclone uploads to the emulator and lists it, and each download is refused as badly signed, with the same
# key. rclone's SDK asks for a body with "Accept-Encoding: identity" and signs that header, too. On the way
# to the emulator's own code the runtime puts "br, gzip" in its place, and the signature is worked out from
# that. So a request that signs this header is refused, unless it says "br, gzip" itself; clients that leave
# it unsigned, as the SDK for JavaScript does, never meet it.
#
# Output seen:
#   rclone: upload: exit 0
#   rclone: list: exit 0, a.txt
#   rclone: download: exit 1, SignatureDoesNotMatch
#   signed "identity": SignatureDoesNotMatch
#   signed "gzip": SignatureDoesNotMatch
#   signed "br, gzip": listed
#   not signed: listed
# Needs apt-get with Debian 12's packages, npm (200 MB) and Node. Exits 1 when this changes. Everything
# stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" miniflare@4.20260730.0 \
  @aws-sdk/client-s3@3.1169.0
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root

cat > bucket.mjs <<'END'
import { writeFileSync } from 'node:fs'
import { Miniflare, NoOpLog } from 'miniflare'
const s3Credentials = { accessKeyId: 'a'.repeat(32), secretAccessKey: 'b'.repeat(64) }
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
  r2Buckets: { media: { id: 'media', s3Credentials } },
})
const { origin } = await emulator.ready
process.on('SIGTERM', () => emulator.dispose().then(() => process.exit()))
writeFileSync('endpoint', `${origin}/cdn-cgi/local/r2/s3`)
END
cat > list.mjs <<'END'
import { readFileSync } from 'node:fs'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
const [signed] = process.argv.slice(2)
const client = new S3Client({
  endpoint: readFileSync('endpoint', 'utf8'),
  region: 'auto',
  credentials: { accessKeyId: 'a'.repeat(32), secretAccessKey: 'b'.repeat(64) },
  forcePathStyle: true,
  maxAttempts: 1,
})
const sign = (next) => (args) => {
  args.request.headers['accept-encoding'] = signed
  return next(args)
}
if (signed !== undefined) client.middlewareStack.add(sign, { step: 'build' })
const answer = client.send(new ListObjectsV2Command({ Bucket: 'media' }))
console.log(await answer.then(() => 'listed', ({ name }) => name))
END
node --no-warnings bucket.mjs 2>/dev/null &
server=$!
for _ in $(seq 300); do [[ -s endpoint ]] && break || sleep 0.1; done

changed=0
told() { # what, expected, seen
  if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
}
copies() { # arguments of rclone; the code, what it printed, and what was refused
  local code=0 output
  output=$(env -i PATH="$PATH" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_B_TYPE=s3 RCLONE_CONFIG_B_PROVIDER=Cloudflare \
    RCLONE_CONFIG_B_ENDPOINT="$(<endpoint)" RCLONE_CONFIG_B_REGION=auto RCLONE_CONFIG_B_NO_CHECK_BUCKET=true \
    RCLONE_CONFIG_B_ACCESS_KEY_ID="$(printf 'a%.0s' {1..32})" \
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY="$(printf 'b%.0s' {1..64})" \
    root/usr/bin/rclone "$@" --retries 1 --low-level-retries 1 2>log) || code=$?
  [[ $code == 0 ]] || output=$(grep -om1 SignatureDoesNotMatch log || true)
  echo "exit $code${output:+, $output}"
}
echo media > a.txt
told 'rclone: upload' 'exit 0' "$(copies copyto a.txt B:media/a.txt)"
told 'rclone: list' 'exit 0, a.txt' "$(copies lsf B:media)"
told 'rclone: download' 'exit 1, SignatureDoesNotMatch' "$(copies copyto B:media/a.txt b.txt)"
told 'signed "identity"' SignatureDoesNotMatch "$(node --no-warnings list.mjs identity)"
told 'signed "gzip"' SignatureDoesNotMatch "$(node --no-warnings list.mjs gzip)"
told 'signed "br, gzip"' listed "$(node --no-warnings list.mjs 'br, gzip')"
told 'not signed' listed "$(node --no-warnings list.mjs)"
exit "$changed"
