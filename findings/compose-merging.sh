#!/usr/bin/env bash
# docker compose 2.26.1 (Debian 13), 2026-11-30.
#
# Which value of KEY reaches a container; a.env has KEY=a and b.env has KEY=b, the shell has no KEY:
# - env_file: [a.env, b.env, a.env]: the last file wins everywhere else, and here it is b. A file that
#   is named again keeps the place that it had first. So with [a.env, b.env] in the compose file, an
#   override file that adds env_file: [a.env] changes nothing. `!override` in front of the list does.
#   Written ./a.env it is another file, and wins.
# - "KEY:" under environment: is not an empty value but "take it from the shell or .env". Where neither
#   has it, the container has no KEY at all, though its env_file has one. The same for "- KEY", and for
#   "KEY:" in an override file. Matters for settings that have to be there and empty, as S3_PERMISSION
#   has to for R2; 'KEY: ""' and "- KEY=" are empty.
#
# Output seen: "as found" on every line; null stands for a variable that is taken out of the container.
# Needs apt-get and node; Debian 13's package is taken from where the machine has its own from.
# Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
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

echo KEY=a > a.env
echo KEY=b > b.env
cat > value.mjs <<'JS'
import { text } from 'node:stream/consumers'
console.log(JSON.stringify(JSON.parse(await text(process.stdin)).services.one.environment.KEY))
JS
changed=0
gives() { # expected, lines of the service, those of an override file
  local files=(-f compose.yaml) seen
  printf 'services:\n  one:\n    image: none\n%s\n' "$2" > compose.yaml
  if [[ -n ${3-} ]]; then
    printf 'services:\n  one:\n%s\n' "$3" > override.yaml
    files+=(-f override.yaml)
  fi
  seen=$(env -u KEY root/usr/libexec/docker/cli-plugins/docker-compose "${files[@]}" config --format json |
    node value.mjs)
  local what
  what=$(echo "$2${3:+ + $3}" | tr -s ' \n' ' ')
  if [[ $seen == "$1" ]]; then echo "as found:$what: $seen"; else echo "CHANGED:$what: $seen, was $1" && changed=1; fi
}
gives '"b"' '    env_file: [a.env, b.env]'
gives '"b"' '    env_file: [a.env, b.env, a.env]'
gives '"a"' '    env_file: [a.env, b.env, ./a.env]'
gives '"b"' '    env_file: [a.env, b.env]' '    env_file: [a.env]'
gives '"a"' '    env_file: [a.env, b.env]' '    env_file: !override [b.env, a.env]'
gives null $'    env_file: a.env\n    environment:\n      KEY:'
gives null $'    env_file: a.env\n    environment:\n      - KEY'
gives null $'    env_file: a.env\n    environment: {KEY: c}' $'    environment:\n      KEY:'
gives '""' $'    env_file: a.env\n    environment:\n      KEY: ""'
gives '""' $'    env_file: a.env\n    environment:\n      - KEY='
exit "$changed"
