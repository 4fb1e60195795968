#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12), 2026-11-29.
#
# A redirect made with `rewrite "^/old/(.*)$" https://new.example/$1 permanent` is built from the decoded
# path, and not all of it is encoded again: %20, %25, %23 and what lies beyond ASCII come out as they
# came in, but %3F becomes a bare "?", so that the rest of the path turns into a query; %2B, %26 and
# %2F become "+", "&" and "/". `return 301 https://new.example$request_uri` leaves every sign as it is.
# Matters for storage whose keys hold such signs; in S3 "%3F" and "?" are not the same place.
#
# Output seen:
#   rewrite: /old/what%3Fnow.png -> https://new.example/what?now.png
#   rewrite: /old/a%2Bb%26c%20d%25.png -> https://new.example/a+b&c%20d%25.png
#   return:  /kept/what%3Fnow.png -> https://new.example/kept/what%3Fnow.png
# Needs apt-get with Debian 12's packages, and curl. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download nginx=1.22.1-9+deb12u11
dpkg-deb -x nginx_*.deb root
port=$((20000 + RANDOM % 10000))
cat > nginx.conf <<END
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
  server {
    listen 127.0.0.1:$port;
    location /old/ { rewrite "^/old/(.*)$" https://new.example/\$1 permanent; }
    location /kept/ { return 301 https://new.example\$request_uri; }
  }
}
END
root/usr/sbin/nginx -p "$work" -c "$work/nginx.conf" -e "$work/error.log" &
server=$!
for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$port/" && break || sleep 0.1; done

changed=0
leads() { # path, expected
  local seen
  seen=$(curl -s -o /dev/null -w '%header{location}' "http://127.0.0.1:$port$1")
  if [[ $seen == "$2" ]]; then echo "as found: $1 -> $seen"; else echo "CHANGED: $1 -> $seen, was $2" && changed=1; fi
}
leads '/old/what%3Fnow.png' 'https://new.example/what?now.png'
leads '/old/a%2Bb%26c%20d%25.png' 'https://new.example/a+b&c%20d%25.png'
leads '/kept/what%3Fnow.png' 'https://new.example/kept/what%3Fnow.png'
exit "$changed"
