#!/usr/bin/env bash
# systemd 252 (Debian 12), 2026-11-29, started as the first process of namespaces of its own. 257 (Debian
# 13) behaves alike but for the first point.
#
# What reaches a service from Environment= and EnvironmentFile= where the spelling is a bit off. The
# service starts in each case; nothing but the log tells what is missing.
# - In an EnvironmentFile a comment line that ends with a backslash takes the next line along. (257: not.)
# - In a unit a comment line between two lines joined by a backslash is passed over: both count.
# - EnvironmentFile="/path" in quotes is no absolute path, and the whole line is passed over.
# - EnvironmentFile=/folder/*.env reads all that fit, in the order of their names.
# - In Environment= an apostrophe in the middle of a word drops that word and all behind it.
# - In Environment= C's escapes count in single quotes, too: '\n' is a line end.
# - Of two drop-ins of one file name the folder that comes first decides, not which is for fewer units.
# - `systemctl restart 'pattern*'` takes what is loaded: where nothing is, it does nothing, exit code 0.
#
# Output seen: "as found" on every line. Needs root, apt-get with Debian 12's packages, and the libraries
# of a Debian 12 that has systemd. Exits 1 when this changes.
set -euo pipefail
if [[ ${1-} != inside ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cp "$0" "$work/again"
  cd "$work"
  apt-get -qq -o APT::Sandbox::User=root download systemd=252.39-1~deb12u2 \
    libsystemd-shared=252.39-1~deb12u2
  for package in *.deb; do dpkg-deb -x "$package" root; done
  mkdir units seen folder
  unit() { printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "env > %s"\n%s\n' "$work/seen/$1" "$2" > "units/$1.service"; }
  unit comment "EnvironmentFile=$work/comment.env"
  printf '# ends so \\\nLOST=1\nKEPT=1\n' > comment.env
  unit joined $'Environment=FIRST=1 \\\n# between\n  SECOND=2'
  unit quoted "EnvironmentFile=\"$work/comment.env\""
  unit pattern "EnvironmentFile=$work/folder/*.env"
  echo SHARED=ten > folder/10.env
  echo SHARED=twenty > folder/20.env
  unit apostrophe "Environment=FIRST=1 OWNER=it's LAST=3"
  unit escape "Environment='LINES=one\\ntwo'"
  unit one-unit ''
  mkdir -p units/one-.service.d later/one-unit.service.d
  printf '[Service]\nEnvironment=CHOSEN=wide\n' > units/one-.service.d/same.conf
  printf '[Service]\nEnvironment=CHOSEN=narrow\n' > later/one-unit.service.d/same.conf
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

  changed=0
  told() { # what, expected, seen
    if [[ $2 == "$3" ]]; then echo "as found: $1: $3"; else echo "CHANGED: $1: $3, was $2" && changed=1; fi
  }
  values() { # unit, names that count
    control start "$1"
    grep -E "^($2)=" -A1 "seen/$1" | grep -vE '^(--|PWD|_|SHLVL|INVOCATION_ID|SYSTEMD_EXEC_PID|PATH|LANG|OLDPWD)' |
      sort | tr '\n' ' ' || true
  }
  told 'comment that ends with a backslash' 'KEPT=1 ' "$(values comment 'LOST|KEPT')"
  told 'comment between joined lines' 'FIRST=1 SECOND=2 ' "$(values joined 'FIRST|SECOND')"
  told 'path in quotes' '' "$(values quoted 'LOST|KEPT')"
  told 'pattern' 'SHARED=twenty ' "$(values pattern SHARED)"
  told 'apostrophe' 'FIRST=1 ' "$(values apostrophe 'FIRST|OWNER|LAST')"
  told 'escape in single quotes' 'LINES=one two ' "$(values escape LINES)"
  told 'drop-in of the first folder' 'CHOSEN=wide ' "$(values one-unit CHOSEN)"
  code=0
  output=$(control restart 'nothing-like-this*' 2>&1) || code=$?
  told 'restart of a pattern that nothing fits' 'exit 0, ""' "exit $code, \"$output\""
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
export container=namespaces SYSTEMD_UNIT_PATH=$work/units:$work/later SYSTEMD_GENERATOR_PATH=/none
LD_LIBRARY_PATH=$(echo "$work"/root/usr/lib/*/systemd)
export LD_LIBRARY_PATH
exec "$work/root/lib/systemd/systemd" --system --log-target=null --show-status=false
