#!/usr/bin/env bash
# aws-sdk-s3 1.239.0 for Ruby (with aws-sdk-core 3.265.0), which Mastodon stores its media with; Ruby 3.1.2,
# with its own net/http and with net-http 0.10.0. rclone 1.60.1 and curl 7.88.1 (Debian 12) beside it.
# 2026-11-30.
#
# Which environment sends a request for https://account.r2.example through a proxy:
#   variables                            curl     rclone   Ruby's SDK
#   https_proxy or HTTPS_PROXY           proxy    proxy    direct
#   http_proxy                           direct   direct   proxy
#   both, and no_proxy=*                 direct   direct   proxy
# Ruby's net/http looks its proxy up as for an http:// address, whatever the address is. So behind a proxy
# that is named in HTTPS_PROXY the copy to R2 works, and Mastodon's uploads don't leave the machine; and
# http_proxy, which Mastodon has for its federation, carries all media as well.
#
# And what the SDK makes of its own variables when the program says `retry_limit: 0`, as Mastodon does:
# - AWS_RETRY_MODE=standard makes three tries of one: retry_limit counts in the mode "legacy" alone.
# - AWS_REQUEST_CHECKSUM_CALCULATION= (there, and empty) is an ArgumentError for every client, while an
#   empty AWS_ENDPOINT_URL_S3= is as good as none.
#
# Output seen: "as found" for every line. Needs gem, curl, and apt-get with Debian 12's packages.
# Exits 1 when this changes. The proxy and the bucket are on 127.0.0.1; account.r2.example is not found.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
gem install --silent --no-document --install-dir gems aws-sdk-core:3.265.0
gem install --silent --no-document --install-dir gems --minimal-deps aws-sdk-s3:1.239.0 net-http:0.10.0
apt-get -qq -o APT::Sandbox::User=root download rclone=1.60.1+dfsg-2+b5
dpkg-deb -x rclone_*.deb root

# Refuses whatever it is asked, and notes it.
cat > listen.rb <<'RUBY'
require 'socket'
server = TCPServer.new('127.0.0.1', 0)
File.write('port', server.addr[1].to_s)
loop do
  Thread.new(server.accept) do |socket|
    File.open('asked', 'a') { |asked| asked.puts(socket.gets) }
    nil until [nil, "\r\n"].include?(socket.gets)
    socket.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    socket.close
  end
end
RUBY
cat > sdk.rb <<'RUBY'
gem 'net-http', ARGV[1] if ARGV[1]
require 'aws-sdk-s3'
begin
  Aws::S3::Client.new(endpoint: ARGV[0], region: 'auto', access_key_id: 'id', secret_access_key: 'none',
                      force_path_style: true, retry_limit: 0).head_object(bucket: 'media', key: 'a')
rescue ArgumentError => error
  puts error.class
rescue StandardError
  nil
end
RUBY
ruby listen.rb &
server=$!
until [[ -s port ]]; do sleep 0.1; done
here=http://127.0.0.1:$(<port)
bucket=https://account.r2.example

changed=0
told() { # what, expected, seen
  if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
}
run() { # program, address, variables
  local program=$1 address=$2
  shift 2
  local -a command
  case $program in
    curl) command=(curl -s -m 5 -o none "$address/media/a") ;;
    rclone) command=(root/usr/bin/rclone lsf B:media --retries 1 --low-level-retries 1) ;;
    ruby) command=(ruby sdk.rb "$address") ;;
    net-http) command=(ruby sdk.rb "$address" 0.10.0) ;;
  esac
  env -i PATH="$PATH" HOME="$work" GEM_PATH="$work/gems" RCLONE_CONFIG=/dev/null RCLONE_CONFIG_B_TYPE=s3 \
    RCLONE_CONFIG_B_PROVIDER=Other RCLONE_CONFIG_B_ENDPOINT="$address" RCLONE_CONFIG_B_ACCESS_KEY_ID=id \
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY=none "$@" "${command[@]}" 2>log || true
}
goes() { # variables, then the way of curl, rclone, Ruby, Ruby with net-http 0.10.0
  local variables=$1 program seen
  for program in curl rclone ruby net-http; do
    shift
    : > asked
    # shellcheck disable=SC2086 # Several variables.
    run "$program" "$bucket" ${variables//@/$here} >/dev/null
    if grep -q '^CONNECT account.r2.example:443' asked; then seen=proxy; else seen=direct; fi
    told "${variables//=@/}: $program" "$1" "$seen"
  done
}
tries() { # variables, expected
  : > asked
  local words
  words=$(run ruby "$here" "$1")
  told "$1" "$2" "$(grep -c . asked || true) requests${words:+, $words}"
}
set -f
goes 'https_proxy=@' proxy proxy direct direct
goes 'HTTPS_PROXY=@' proxy proxy direct direct
goes 'http_proxy=@' direct direct proxy proxy
goes 'http_proxy=@ https_proxy=@ no_proxy=*' direct direct proxy proxy
tries 'AWS_RETRY_MODE=legacy' '1 requests'
tries 'AWS_RETRY_MODE=standard' '3 requests'
tries 'AWS_ENDPOINT_URL_S3=' '1 requests'
tries 'AWS_REQUEST_CHECKSUM_CALCULATION=' '0 requests, ArgumentError'
exit "$changed"
