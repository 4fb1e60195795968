#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12), and 1.26.3 (Debian 13) beside it, 2026-11-30.
#
# nginx with proxy_cache in front of a bucket, as Mastodon's guide to object storage has it. (That guide
# hides the bucket's Access-Control-Allow-Origin and sends its own, which helps against both.)
# - A bucket that sends two lines, "Vary: Origin" and "Vary: Accept-Encoding": 1.22.1 goes by the last one
#   alone. What was stored for https://a.example, with its Access-Control-Allow-Origin, is handed to
#   https://b.example as well, whose browser refuses it. In one line, "Vary: Origin, Accept-Encoding", both
#   count; in 1.26.3 they do either way.
# - With proxy_cache_revalidate a 304 makes the stored answer fresh again, with the headers it was stored
#   with. Those of the 304 are not taken over, which RFC 9111, 4.3.4, asks of a cache. A bucket that gets a
#   CORS policy or another Cache-Control later is asked each time, says so each time, and no client hears
#   of it until the entry is gone. Both versions.
#
# Output seen, the first part for 1.22.1:
#   two lines of Vary: a.example gets a.example's, b.example gets a.example's
#   one line of Vary: a.example gets a.example's, b.example gets b.example's
#   stored: no CORS (MISS), after a 304 with CORS: no CORS (REVALIDATED), asked again: no CORS (REVALIDATED)
# Needs apt-get, curl and node; Debian 13's packages are taken from where the machine has its own from.
# Exits 1 when this changes. Everything stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
bucket= server=
trap 'kill $bucket $server 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
chmod 755 . # Started by root, nginx works as another user.
apt-get -qq -o APT::Sandbox::User=root download nginx=1.22.1-9+deb12u11
mkdir -p apt/lists/partial apt/archives/partial apt/sources
source=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
  "$source" "$keys" > apt/sources/trixie.sources
of_trixie=(-qq -o APT::Sandbox::User=root -o Dir::State::lists="$work/apt/lists"
  -o Dir::Cache="$work/apt" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/sources")
apt-get "${of_trixie[@]}" update
mkdir newer
(cd newer && apt-get "${of_trixie[@]}" download nginx=1.26.3-3+deb13u10 libc6 libpcre2-8-0 libssl3t64 \
  libcrypt1 zlib1g)
dpkg-deb -x nginx_*.deb 1.22.1
for package in newer/*.deb; do dpkg-deb -x "$package" 1.26.3; done

cat > bucket.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
let hasPolicy = false
const bucket = createServer((request, response) => {
  const { url, headers } = request
  if (url === '/policy') hasPolicy = true
  const { origin = 'none' } = headers
  const always = ['ETag', '"1"', 'Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT']
  const more = url.startsWith('/two')
    ? ['Vary', 'Origin', 'Vary', 'Accept-Encoding', 'Access-Control-Allow-Origin', origin]
    : url.startsWith('/one')
      ? ['Vary', 'Origin, Accept-Encoding', 'Access-Control-Allow-Origin', origin]
      : ['Cache-Control', 'max-age=1', ...(hasPolicy ? ['Access-Control-Allow-Origin', '*'] : [])]
  const isSame = headers['if-none-match'] === '"1"'
  response.writeHead(isSame ? 304 : 200, [...always, ...more])
  response.end(isSame ? undefined : 'media')
})
bucket.listen(0, '127.0.0.1', () => writeFileSync('port', String(bucket.address().port)))
JS
port=$((20000 + RANDOM % 10000))
configure() {
  cat > nginx.conf <<NGINX
daemon off;
pid $work/pid;
error_log $work/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $work/body;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  proxy_cache_path $work/$1.cache keys_zone=media:1m;
  server {
    listen 127.0.0.1:$port;
    location / {
      proxy_pass http://127.0.0.1:$(<port);
      proxy_cache media;
      proxy_cache_valid 200 1h;
      proxy_cache_revalidate on;
      add_header X-Cached \$upstream_cache_status;
    }
  }
}
NGINX
}
answer() { # path, more for curl; the allowed origin and what the cache says
  curl -s -o /dev/null -w '%header{access-control-allow-origin} %header{x-cached}' "http://127.0.0.1:$port$1" "${@:2}"
}
given() { answer "$1" -H "Origin: https://$2" | sed "s|https://\(.*\) .*|$2 gets \1's|"; }
policy() { answer /media | sed 's/^\*/CORS/; s/^ /no CORS /; s/ \([A-Z]*\)$/ (\1)/'; }

changed=0
told() { # what, expected, seen
  if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
}
tried() { # version, what b.example gets of two lines
  rm -f port
  node bucket.mjs &
  bucket=$!
  until [[ -s port ]]; do sleep 0.1; done
  configure "$1"
  local -a start=("$1/usr/sbin/nginx")
  [[ $1 == 1.22.1 ]] || start=("$1/usr/lib64/"ld-linux-*.so.* --library-path "$(echo "$1"/usr/lib/*-linux-gnu)" "${start[@]}")
  "${start[@]}" -p "$work" -c "$work/nginx.conf" -e "$work/error.log" &
  server=$!
  for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$port/" && break || sleep 0.1; done
  told "$1, two lines of Vary" "a.example gets a.example's, b.example gets $2's" \
    "$(given /two a.example), $(given /two b.example)"
  told "$1, one line of Vary" "a.example gets a.example's, b.example gets b.example's" \
    "$(given /one a.example), $(given /one b.example)"
  local first second
  first=$(policy)
  curl -s -o /dev/null "http://127.0.0.1:$(<port)/policy"
  sleep 2.5
  second=$(policy)
  sleep 2.5
  told "$1, stored" \
    'no CORS (MISS), after a 304 with CORS: no CORS (REVALIDATED), asked again: no CORS (REVALIDATED)' \
    "$first, after a 304 with CORS: $second, asked again: $(policy)"
  kill "$server" "$bucket"
  wait "$server" "$bucket" 2>/dev/null || true
}
tried 1.22.1 a.example
tried 1.26.3 b.example
exit "$changed"
