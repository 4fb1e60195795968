#!/usr/bin/env bash
# Guess: "rclone copy" from bucket to bucket that ends with 0 has copied each key, or a folder's marker less; and
# what it copies can be read there as before. Seen: four of seven keys arrive, and one of these is garbage.
#
# rclone 1.60.1 (Debian 12), between two stand-ins for S3; 2026-11-30.
#
# - A key with an empty part (x//y) and a key that ends with a slash and holds something are left out, with a
#   line at level error ("Entry doesn't belong in directory"), exit code 0. With --fast-list it is 1.
# - Of two keys that are one name in Unicode's composed form (é as one sign, or as e with an accent) one is
#   copied, with a notice of a "duplicate". --no-unicode-normalization copies both.
# - An object that is stored compressed (Content-Encoding: gzip) arrives compressed, and without that header:
#   a browser shows the bytes. With --metadata it is kept.
# - "a" and "a/b" are both copied, but not with --fast-list, nor where --files-from-raw names them with
#   --no-traverse: then "a" alone, without a line about the other.
#
# Output seen: "as found" for each of
#   copy: exit 0: a, a/b, caf (1 of 2), style.css; Content-Encoding: -
#   copy --fast-list: exit 1: a, caf (1 of 2), style.css; Content-Encoding: -
#   copy --no-unicode-normalization: exit 0: a, a/b, caf (2 of 2), style.css; Content-Encoding: -
#   copy --metadata: exit 0: a, a/b, caf (1 of 2), style.css; Content-Encoding: gzip
#   copy --files-from-raw all --no-traverse: exit 0: a, caf (1 of 2), style.css; Content-Encoding: -
# Needs apt-get with Debian 12's packages, and node. Exits 1 when this changes. All on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root

# The bucket "from" can be listed and read, "to" is empty and notes what is put.
cat > buckets.mjs <<'END'
import { createHash } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
const objects = new Map(
  ['a', 'a/b', 'caf\u0065\u0301', 'caf\u00e9', 'folder/', 'x//y'].map((key) => [
    key,
    { body: Buffer.from(key), headers: { 'content-type': 'image/png' } },
  ]),
)
const compressed = { 'content-type': 'text/css', 'content-encoding': 'gzip' }
objects.set('style.css', { body: gzipSync('body { color: green }'), headers: compressed })
writeFileSync('all', [...objects.keys(), ''].join('\n'))
const md5 = (body) => `"${createHash('md5').update(body).digest('hex')}"`
const entry = ([key, { body }]) =>
  `<Contents><Key>${key}</Key><Size>${body.length}</Size><ETag>${md5(body)}</ETag>` +
  '<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>'

function list(query) {
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  const inside = [...objects].filter(([key]) => key.startsWith(prefix)).sort()
  const end = (key) => (delimiter ? key.indexOf(delimiter, prefix.length) : -1)
  const folders = inside.flatMap(([key]) => (end(key) < 0 ? [] : [key.slice(0, end(key) + 1)]))
  const found = inside.filter(([key]) => end(key) < 0).map(entry)
  const common = [...new Set(folders)].map(
    (one) => `<CommonPrefixes><Prefix>${one}</Prefix></CommonPrefixes>`,
  )
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}${common.join('')}</ListBucketResult>`
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1')
  const [, bucket, ...parts] = decodeURIComponent(request.url.split('?')[0]).split('/')
  const key = parts.join('/')
  const sent = []
  request.on('data', (chunk) => sent.push(chunk))
  request.on('end', () => {
    if (request.method === 'PUT') {
      const name = /^caf/.test(key) ? 'caf' : key
      appendFileSync('put', `${name}\t${request.headers['content-encoding'] ?? '-'}\n`)
      return response.setHeader('ETag', md5(Buffer.concat(sent))).end()
    }
    if (bucket === 'to') {
      response.statusCode = key === '' ? 200 : 404
      return response.end('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>')
    }
    if (key === '') return response.end(list(url.searchParams))
    const object = objects.get(key)
    if (!object) return response.writeHead(404).end()
    const more = { etag: md5(object.body), 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }
    response.writeHead(200, { ...object.headers, ...more, 'content-length': object.body.length })
    response.end(request.method === 'HEAD' ? undefined : object.body)
  })
})
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)))
END
node buckets.mjs &
server=$!
until [[ -s port ]]; do sleep 0.1; done

changed=0
copies() { # expected, flags
  local expected=$1 code=0 keys seen
  shift
  : > put
  env -i PATH="$PATH" HOME="$work" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_S_TYPE=s3 RCLONE_CONFIG_S_PROVIDER=Other \
    RCLONE_CONFIG_S_ENDPOINT="http://127.0.0.1:$(<port)" RCLONE_CONFIG_S_ACCESS_KEY_ID=id \
    RCLONE_CONFIG_S_SECRET_ACCESS_KEY=none root/usr/bin/rclone copy S:from S:to --disable Copy \
    --s3-no-head --s3-no-check-bucket --retries 1 "$@" 2> log || code=$?
  keys=$(cut -f 1 put | sort | uniq -c | awk '{ print $2 == "caf" ? "caf (" $1 " of 2)" : $2 }' | paste -sd ,)
  seen="exit $code: ${keys//,/, }; Content-Encoding: $(awk '$1 == "style.css" { print $2 }' put)"
  if [[ $seen == "$expected" ]]; then
    echo "as found: copy $*: $seen"
  else
    echo "CHANGED: copy $*: $seen, was $expected" && changed=1
  fi
}
copies 'exit 0: a, a/b, caf (1 of 2), style.css; Content-Encoding: -'
copies 'exit 1: a, caf (1 of 2), style.css; Content-Encoding: -' --fast-list
copies 'exit 0: a, a/b, caf (2 of 2), style.css; Content-Encoding: -' --no-unicode-normalization
copies 'exit 0: a, a/b, caf (1 of 2), style.css; Content-Encoding: gzip' --metadata
copies 'exit 0: a, caf (1 of 2), style.css; Content-Encoding: -' --files-from-raw all --no-traverse
exit "$changed"
