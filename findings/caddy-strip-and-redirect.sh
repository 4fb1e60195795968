#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 12; 2.11.4 behaves alike), 2026-11-29.
#
# Two ways to cut "/old" off and redirect the rest, and what {uri} is in each:
# - `handle_path /old/* { redir https://new.example{uri} }`: "//" further behind becomes "/". A key with
#   an empty part can't be reached through it.
# - `handle /old/* { uri strip_prefix /old; redir https://new.example{uri} }`, written in this order:
#   nothing is cut off, since redir stands before uri in Caddy's own order of directives. Within
#   `route { ... }` the written order counts.
#
# Output seen, for /old/a//b%2Fc.png:
#   handle_path:        https://new.example/a/b%2Fc.png
#   handle, uri, redir: https://new.example/old/a//b%2Fc.png
#   route, uri, redir:  https://new.example/a/b%2Fc.png
# Needs apt-get with Debian 12's packages, and curl. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download caddy=2.6.2-5
dpkg-deb -x caddy_*.deb root
port=$((20000 + RANDOM % 10000))
cat > Caddyfile <<END
{
	admin off
	auto_https off
}
http://127.0.0.1:$port {
	handle_path /old/* {
		redir https://new.example{uri} 301
	}
	handle /unsorted/* {
		uri strip_prefix /unsorted
		redir https://new.example{uri} 301
	}
	route /routed/* {
		uri strip_prefix /routed
		redir https://new.example{uri} 301
	}
}
END
HOME=$work root/usr/bin/caddy run --config Caddyfile --adapter caddyfile 2> caddy.log &
server=$!
for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$port/" && break || sleep 0.1; done

changed=0
leads() { # path, expected
  local seen
  seen=$(curl -s --path-as-is -o /dev/null -w '%header{location}' "http://127.0.0.1:$port$1")
  if [[ $seen == "$2" ]]; then echo "as found: $1 -> $seen"; else echo "CHANGED: $1 -> $seen, was $2" && changed=1; fi
}
leads '/old/a//b%2Fc.png' 'https://new.example/a/b%2Fc.png'
leads '/unsorted/a//b%2Fc.png' 'https://new.example/unsorted/a//b%2Fc.png'
leads '/routed/a//b%2Fc.png' 'https://new.example/a/b%2Fc.png'
exit "$changed"
