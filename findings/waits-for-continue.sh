#!/usr/bin/env bash
# Guess: a client that asks "Expect: 100-continue" of a server that doesn't know it sends its body at once, or
# after some milliseconds. Seen: each upload begins with a pause of one second, or of six.
#
# aws-sdk-s3 1.239.0 for Ruby (with aws-sdk-core 3.265.0; Ruby 3.1.2), which Mastodon stores its media with;
# @aws-sdk/client-s3 3.1169.0, Node 20.20.2; rclone 1.60.1 (Debian 12); miniflare 4.20260730.0; 2026-11-30.
#
# Where an S3 server says "100 Continue" nobody waits. Where it keeps silent until the body is there, as the
# S3 door of Cloudflare's R2 emulator does:
# - Ruby's SDK waits 1 s at each request with a body, also of one byte, and also of DeleteObjects. No variable
#   turns that off, only http_continue_timeout: 0 in the program. So each picture costs Mastodon a second for
#   each of its styles.
# - The SDK for JavaScript waits 6 s from 2 MiB on, so at each part of 5 MiB. expectContinueHeader: false in the
#   program turns it off.
# - rclone waits 1 s from 2 MiB on; --expect-continue-timeout 0 turns it off.
#
# Output seen: "as found" for each of
#                         1 byte   2 MiB less 1   2 MiB   2 MiB, turned off
#   Ruby's SDK            1 s      1 s            1 s     -
#   SDK for JavaScript    -        -              6 s     -
#   rclone                -        -              1 s     -
#   the emulator, with the SDK for JavaScript     6 s     -
# Needs gem, npm (200 MB), Node, and apt-get with Debian 12's packages. Exits 1 when this changes. Everything
# stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
gem install --silent --no-document --install-dir gems aws-sdk-core:3.265.0
gem install --silent --no-document --install-dir gems --minimal-deps aws-sdk-s3:1.239.0
npm install --silent --no-audit --no-fund --prefix "$work" miniflare@4.20260730.0 \
  @aws-sdk/client-s3@3.1169.0
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root

# Two servers: one says "100 Continue" where it is asked to, the other waits for the body.
cat > servers.mjs <<'END'
import { createServer } from 'node:net'
import { writeFileSync } from 'node:fs'
const answer = 'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
const listen = (says) =>
  new Promise((listening) => {
    const server = createServer((socket) => {
      let head = ''
      let left
      const take = (bytes) => {
        left -= bytes
        if (left <= 0) socket.end(answer)
      }
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        if (left !== undefined) return take(chunk.length)
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        left = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
        if (says && /^expect:/im.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        take(head.length - end - 4)
      })
    }).listen(0, '127.0.0.1', () => listening(server.address().port))
  })
writeFileSync('ports.new', `${await listen(true)} ${await listen(false)}\n`)
END
cat > sdk.rb <<'END'
require 'aws-sdk-s3'
client = Aws::S3::Client.new(endpoint: ARGV[0], region: 'auto', access_key_id: 'id', secret_access_key: 'none',
                             force_path_style: true, retry_limit: 0, **(ARGV[2] ? { http_continue_timeout: 0 } : {}))
body = 'x' * ARGV[1].to_i
start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
client.put_object(bucket: 'media', key: 'a', body: body)
puts Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
END
cat > sdk.mjs <<'END'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
let [, , endpoint, size, off] = process.argv
const credentials = { accessKeyId: 'a'.repeat(32), secretAccessKey: 'b'.repeat(64) }
let emulator
if (endpoint === 'emulator') {
  const { Miniflare, NoOpLog } = await import('miniflare')
  emulator = new Miniflare({
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
  endpoint = `${(await emulator.ready).origin}/cdn-cgi/local/r2/s3`
}
const client = new S3Client({
  endpoint,
  region: 'auto',
  credentials,
  forcePathStyle: true,
  maxAttempts: 1,
  ...(off ? { expectContinueHeader: false } : {}),
})
const Body = Buffer.alloc(Number(size))
const start = Date.now()
await client.send(new PutObjectCommand({ Bucket: 'media', Key: 'a', Body }))
console.log((Date.now() - start) / 1000)
await emulator?.dispose()
process.exit()
END
node servers.mjs &
server=$!
until [[ -s ports.new ]]; do sleep 0.1; done
read -r saying silent < ports.new
mkdir -p home

put() { # client, endpoint, bytes, "off" or nothing: seconds
  local endpoint=$2
  case $1 in
    Ruby) env -i PATH="$PATH" HOME="$work/home" GEM_PATH="$work/gems" ruby sdk.rb "$endpoint" "$3" ${4:+off} ;;
    JavaScript) env -i PATH="$PATH" HOME="$work/home" node --no-warnings sdk.mjs "$endpoint" "$3" ${4:+off} ;;
    rclone)
      head -c "$3" /dev/zero > file
      local start=$EPOCHREALTIME
      env -i PATH="$PATH" HOME="$work/home" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_B_TYPE=s3 \
        RCLONE_CONFIG_B_PROVIDER=Other RCLONE_CONFIG_B_ENDPOINT="$endpoint" RCLONE_CONFIG_B_ACCESS_KEY_ID=id \
        RCLONE_CONFIG_B_SECRET_ACCESS_KEY=none root/usr/bin/rclone copyto file B:media/a --no-check-dest \
        --s3-no-head --s3-no-check-bucket --ignore-checksum --retries 1 --log-level ERROR \
        ${4:+--expect-continue-timeout 0}
      awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
      ;;
  esac
}
changed=0
waits() { # client, endpoint, its name, bytes, "off" or nothing, 1 or 6 seconds or 0
  local seconds seen
  seconds=$(put "$1" "$2" "$4" "$5")
  seen=$(awk -v s="$seconds" 'BEGIN { print s < 0.95 ? 0 : s < 4 ? 1 : 6 }')
  local what="$1, $3, $4 bytes${5:+, turned off}"
  if [[ $seen == "$6" ]]; then
    echo "as found: $what: ${seen/#0/no} s"
  else
    echo "CHANGED: $what: ${seconds} s, was $6" && changed=1
  fi
}
while read -r client one less two; do
  waits "$client" "http://127.0.0.1:$saying" 'says it' 2097152 '' 0
  waits "$client" "http://127.0.0.1:$silent" silent 1 '' "$one"
  waits "$client" "http://127.0.0.1:$silent" silent 2097151 '' "$less"
  waits "$client" "http://127.0.0.1:$silent" silent 2097152 '' "$two"
  waits "$client" "http://127.0.0.1:$silent" silent 2097152 off 0
done << 'END'
Ruby 1 1 1
JavaScript 0 0 6
rclone 0 0 1
END
waits JavaScript emulator 'the emulator' 2097152 '' 6
waits JavaScript emulator 'the emulator' 2097152 off 0
exit "$changed"
