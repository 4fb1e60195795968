#!/usr/bin/env bash
# rclone 1.60.1 (Debian 12; 1.75.2 behaves alike), 2026-11-29.
#
# A file is in the bucket. It is copied again, and grows by some bytes before the bucket answers, as a
# half-written file does. The bucket has taken the whole body, which came with its Content-MD5, so it
# holds a good copy of what the file was. rclone then compares with the file as it is now, says
# "corrupted on transfer" and deletes the object: the bucket ends without any version of the file. Exit
# code 1; the next run copies it anew. --ignore-checksum keeps the object. (A file that grows earlier,
# while rclone still reads it, is "being updated" instead, exit code 6, and nothing is deleted.)
#
# Output seen:
#   a first copy: exit 0, in the bucket
#   a copy during which the file grew: exit 1, deleted
#   the same with --ignore-checksum: exit 0, in the bucket
# Needs apt-get with Debian 12's packages, and node. Exits 1 when this changes. All on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root
mkdir files
head -c 3000000 /dev/urandom > files/growing.bin

# Holds one object. When told to, it makes the file grow between the end of a body and its answer.
cat > bucket.mjs <<'END'
import { createHash } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
let [tag, grows] = [undefined, false]
const server = createServer(async (request, response) => {
  const digest = createHash('md5')
  for await (const part of request) digest.update(part)
  const end = (status, headers = {}) => response.writeHead(status, headers).end()
  if (request.url === '/grow') return end(204, {}, (grows = true))
  if (request.method === 'DELETE') return end(204, {}, (tag = undefined))
  if (request.method !== 'PUT') return tag === undefined ? end(404) : end(200, { etag: `"${tag}"` })
  if (grows) appendFileSync('files/growing.bin', 'more')
  end(200, { etag: `"${(tag = digest.digest('hex'))}"` })
})
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)))
END
node bucket.mjs &
server=$!
until [[ -s port ]]; do sleep 0.1; done
port=$(<port)

copy() {
  local code=0
  env -i PATH="$PATH" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_B_TYPE=s3 RCLONE_CONFIG_B_PROVIDER=Other \
    RCLONE_CONFIG_B_ENDPOINT="http://127.0.0.1:$port" RCLONE_CONFIG_B_ACCESS_KEY_ID=id \
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY=none root/usr/bin/rclone copy files B:bucket --retries 1 \
    --no-check-dest --no-traverse --s3-no-check-bucket --s3-no-head "$@" 2>log || code=$?
  echo "exit $code, $(there)"
}
there() {
  node -e "fetch('http://127.0.0.1:$port/bucket/growing.bin', { method: 'HEAD' })
    .then(({ status }) => console.log(status === 200 ? 'in the bucket' : 'deleted'))"
}
changed=0
told() { # what, expected, seen
  if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
}
told 'a first copy' 'exit 0, in the bucket' "$(copy)"
node -e "fetch('http://127.0.0.1:$port/grow')"
told 'a copy during which the file grew' 'exit 1, deleted' "$(copy)"
told 'the same with --ignore-checksum' 'exit 0, in the bucket' "$(copy --ignore-checksum)"
exit "$changed"
