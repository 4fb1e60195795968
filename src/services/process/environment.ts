import { basename } from 'node:path'
import type { Account, Command } from './port.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** What a program needs to find files, people and languages. */
const EVERYONE =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|COLORTERM|NO_COLOR|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|XDG_RUNTIME_DIR|DBUS_(SESSION|SYSTEM)_BUS_ADDRESS|SSL_CERT_(FILE|DIR))$/i

/** Who talks to the network, sudo for what it starts. A proxy's address may hold a password. */
const TALKS = /^(rclone|docker(-compose)?|apt-get|dnf|zypper|pacman|apk|sudo)$/
const PROXIES = /^(HTTPS?|FTP|NO|ALL)_PROXY$/i

const RUBY =
  /^(RBENV_\w+|RUBY(LIB|OPT)|GEM_(HOME|PATH)|BUNDLE_(PATH|GEMFILE|APP_CONFIG|WITHOUT)|LD_(PRELOAD|LIBRARY_PATH)|MALLOC_ARENA_MAX)$/
const DOCKER = /^((DOCKER|COMPOSE|BUILDKIT|BUILDX)_\w+|SSH_AUTH_SOCK)$/
const NODE = /^(NODE_(OPTIONS|EXTRA_CA_CERTS|COMPILE_CACHE)|XDG_STATE_HOME)$/
const SUDO = /^(SUDO_(ASKPASS|PROMPT)|DISPLAY|XAUTHORITY|SSH_AUTH_SOCK)$/

/** By the program's name; what is not here gets what everyone gets. */
const SPECIAL: Readonly<Record<string, RegExp>> = {
  docker: DOCKER,
  'docker-compose': DOCKER,
  rclone: /^GO(DEBUG|MAXPROCS|MEMLIMIT|GC)$/,
  'apt-get': /^(DEBIAN_FRONTEND|APT_CONFIG)$/,
  systemctl: /^SYSTEMD_\w+$/,
  node: NODE,
  nodejs: NODE,
  sudo: SUDO,
  tootctl: RUBY,
}

/** Whether a program sees this variable of ours, whatever it is asked to do. */
export function isPassedOn(program: string, name: string): boolean {
  const called = basename(program)
  if (PROXIES.test(name)) return TALKS.test(called)
  return EVERYONE.test(name) || SPECIAL[called]?.test(name) === true
}

function accountsOwn({ name, home }: Account): [string, string | undefined][] {
  return [
    ['HOME', home ?? '/'],
    ['USER', name],
    ['LOGNAME', name],
    ['XDG_RUNTIME_DIR', undefined],
    ['DBUS_SESSION_BUS_ADDRESS', undefined],
    ['TMPDIR', undefined],
  ]
}

/**
 * The one place that says what a program sees of this one's environment: an allow-list, as secrets
 * have any name, and foreign RCLONE_* and AWS_* change what a program does (AWS_CA_BUNDLE alone makes
 * rclone 1.60 fail). What the command itself sets is added, revealed.
 */
export function childEnvironment(command: Command, own: Variables): Record<string, string> {
  const { program, env, usual = {}, inherits = [], as } = command
  const passed = Object.entries(own).filter(
    ([name]) => isPassedOn(program, name) || inherits.includes(name),
  )
  const set = Object.entries(env).map(
    ([name, value]) => [name, typeof value === 'string' ? value : value.reveal()] as const,
  )
  const account = as === undefined ? [] : accountsOwn(as)
  const merged = Object.entries({
    ...usual,
    ...Object.fromEntries([...passed, ...account, ...set]),
  })
  return Object.fromEntries(
    merged.filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}
