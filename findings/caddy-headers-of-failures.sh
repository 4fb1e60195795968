#!/usr/bin/env bash
# Guess: "header /system/* Cache-Control ..." is on the files, as nginx's add_header is; a file that is not
# there, and a redirect to try it out (302), carry none. Seen: they carry it, and browsers keep both for a year.
#
# Caddy 2.6.2 and nginx 1.22.1 (Debian 12) beside it, 2026-11-30.
#
# Many Caddyfiles for Mastodon have such a line for /system/media_attachments/files* in the site block. It is
# set before anything is looked for, so the 404 of a file that has moved to a bucket has it, too, and so has
# the redirect that is put in later. A 302 is kept by nobody unless such a header says so. nginx puts its
# add_header on a 302, but not on a 404, and a location with an add_header of its own has none of the server's.
# In a block further inside Caddy's "header Cache-Control no-cache" wins over the site's, but not over one
# that also removes something (-Server): such a block waits for the answer, has the last word, and never sees
# the 404.
#
# Output seen: "as found" for each of
#                             file   404    302    302 with no-cache inside
#   Caddy                     year   year   year   no-cache
#   Caddy, with -Server       year   -      year   year
#   nginx                     year   -      year   no-cache
# Needs apt-get with Debian 12's packages, and curl. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download caddy=2.6.2-5 nginx=1.22.1-9+deb12u11
for package in *.deb; do dpkg-deb -x "$package" root; done
port=$((20000 + RANDOM % 10000))
mkdir -p files/system
echo picture > files/system/here.png
year='public, max-age=31536000, immutable'

site() { # port, the header directive
  cat <<END
http://127.0.0.1:$1 {
	root * $work/files
	$2
	redir /system/moved.png https://files.example/moved.png 302
	handle /system/tried.png {
		header Cache-Control no-cache
		redir https://files.example/tried.png 302
	}
	handle {
		file_server
	}
}
END
}
{
  printf '{\n\tadmin off\n\tauto_https off\n}\n'
  site "$port" "header /system/* Cache-Control \"$year\""
  site $((port + 1)) "header /system/* {
		Cache-Control \"$year\"
		-Server
	}"
} > Caddyfile
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
    listen 127.0.0.1:$((port + 2));
    root $work/files;
    add_header Cache-Control "$year";
    location = /system/moved.png { return 302 https://files.example/moved.png; }
    location = /system/tried.png {
      add_header Cache-Control no-cache;
      return 302 https://files.example/tried.png;
    }
  }
}
END
chmod -R a+rX .
HOME=$work root/usr/bin/caddy run --config Caddyfile --adapter caddyfile 2> caddy.log &
servers+=($!)
root/usr/sbin/nginx -p "$work" -c "$work/nginx.conf" -e "$work/error.log" &
servers+=($!)
for at in $port $((port + 2)); do
  for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$at/" && break || sleep 0.1; done
done

changed=0
says() { # server, port, path, status, what its Cache-Control is
  local seen
  seen=$(curl -s -o /dev/null -w '%{http_code} %header{cache-control}' "http://127.0.0.1:$2/system/$3")
  if [[ $seen == "$4 $5" ]]; then
    echo "as found: $1, $3: $seen"
  else
    echo "CHANGED: $1, $3: $seen, was $4 $5" && changed=1
  fi
}
all() { # server, port, Cache-Control of the 404, of the 302 with no-cache
  says "$1" "$2" here.png 200 "$year"
  says "$1" "$2" gone.png 404 "$3"
  says "$1" "$2" moved.png 302 "$year"
  says "$1" "$2" tried.png 302 "$4"
}
all Caddy "$port" "$year" no-cache
all 'Caddy, with -Server' $((port + 1)) '' "$year"
all nginx $((port + 2)) '' no-cache
exit "$changed"
