#!/usr/bin/env bash
# rclone 1.60.1 (Debian 12; 1.75.2 behaves alike), 2026-11-29.
#
# A bucket that takes 100 requests a second and answers the rest with 503 SlowDown. `rclone copy` with 32
# transfers does not settle near that rate: all transfers share one pacer, each refusal doubles its
# pause for all of them, and while they wait together they come back together and are refused again.
# What gets through is a small part of what the bucket would take. `--tpslimit` a little below the
# bucket's rate gets nearly all of it, with hardly a refusal. A Retry-After header makes no difference.
#
# Output seen:
#   32 transfers: 4 objects a second, 85 refusals in 20 s
#   32 transfers, --tpslimit 90: 92 objects a second, 0 refusals
# Needs apt-get with Debian 12's packages, and node. Exits 1 when --tpslimit 90 is no longer more than
# twice as fast. Everything stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root
mkdir files
for n in $(seq 1200); do echo "file $n" > "files/$n.txt"; done

cat > bucket.mjs <<'END'
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
const RATE = 100
let [tokens, last, stored, refused] = [10, Date.now(), 0, 0]
const server = createServer((request, response) => {
  const body = []
  request.on('data', (part) => body.push(part)).on('end', () => {
    if (request.url === '/counts') {
      response.end(`${stored} ${refused}`)
      ;[stored, refused] = [0, 0]
      return
    }
    const now = Date.now()
    tokens = Math.min(RATE / 10, tokens + ((now - last) * RATE) / 1000)
    last = now
    const isTaken = tokens >= 1
    if (isTaken) tokens -= 1
    if (request.method === 'PUT') isTaken ? stored++ : refused++
    setTimeout(() => {
      const isThere = request.method === 'PUT'
      response.writeHead(!isTaken ? 503 : isThere ? 200 : 404, { 'content-type': 'application/xml' })
      response.end(isTaken ? '' : '<Error><Code>SlowDown</Code><Message>Less.</Message></Error>')
    }, 20)
  })
})
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)))
END
node bucket.mjs &
server=$!
until [[ -s port ]]; do sleep 0.1; done
port=$(<port)

copy() { # seconds, more flags
  env -i PATH="$PATH" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_B_TYPE=s3 RCLONE_CONFIG_B_PROVIDER=Other \
    RCLONE_CONFIG_B_ENDPOINT="http://127.0.0.1:$port" RCLONE_CONFIG_B_ACCESS_KEY_ID=id \
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY=none timeout "$1" root/usr/bin/rclone copy files B:bucket \
    --no-check-dest --no-traverse --s3-no-check-bucket --s3-no-head --transfers 32 "${@:2}" 2>log || true
}
counts() { node -e "fetch('http://127.0.0.1:$port/counts').then((a) => a.text()).then(console.log)"; }

copy 20 --retries 1
read -r plain refused < <(counts)
echo "32 transfers: $((plain / 20)) objects a second, $refused refusals in 20 s"
started=$(date +%s%N)
copy 60 --retries 1 --tpslimit 90
seconds=$((($(date +%s%N) - started) / 1000000000))
read -r limited refused < <(counts)
echo "32 transfers, --tpslimit 90: $((limited / (seconds > 0 ? seconds : 1))) objects a second, $refused refusals"
if ((limited * 20 > 2 * plain * seconds)); then echo 'as found'; else echo 'CHANGED' && exit 1; fi
