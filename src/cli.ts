#!/usr/bin/env node
import { screenWidth, typed } from './columns.ts'
import { commands, inner, overview, tellVersion } from './commands.ts'
import { type Host, processHost } from './host.ts'

const host = processHost()
host.leave(await main(host))

async function main(host: Host): Promise<number> {
  const [name = 'help', ...rest] = host.argv
  const asksForHelp = name === '--help' || name === '-h' || name === 'help'
  // As everywhere, -v alone is the version; behind a command it says more.
  if (['--version', '-V', '-v'].includes(name)) return tellVersion(host)
  const known = host.parent === undefined ? commands : [...inner, ...commands]
  const wanted = asksForHelp ? 'help' : name
  const entry = known.find((command) => command.name === wanted || command.also?.includes(wanted))
  if (tooOld(host.nodeVersion)) {
    host.stderr.write(`mastodon-r2 needs Node 20.19 or newer; this is ${host.nodeVersion}.
Install a newer Node, or run it with one: npx -p node@22 -p mastodon-r2 mastodon-r2 ${entry?.name ?? 'help'}\n`)
    return 1
  }
  if (asksForHelp && rest.length === 0) {
    host.stdout.write(overview(host, screenWidth(host)))
    return 0
  }
  const has = (...words: readonly string[]) => rest.some((word) => words.includes(word))
  if (entry && entry.name !== 'help') {
    if (has('--help', '-h')) {
      const { helpOn } = await import('./help.ts')
      return helpOn(commands, overview).run(host, [entry.name])
    }
    if (has('--version', '-V')) return tellVersion(host)
  }
  return entry ? run(host, await entry.load(), rest) : unknownCommand(host, name)
}

async function run(
  host: Host,
  command: Awaited<ReturnType<(typeof commands)[0]['load']>>,
  argv: readonly string[],
) {
  try {
    return await command.run(host, argv)
  } catch (error) {
    const { tame } = await import('./ui/tamed.ts')
    const text = tame(error instanceof Error ? (error.stack ?? error.message) : String(error))
    host.stderr.write(`
This is a bug in mastodon-r2 ${host.version} (Node ${host.nodeVersion}), not your mistake:
${text}
Running the same command again is safe. Please report the lines above.\n`)
    return 1
  }
}

async function unknownCommand(host: Host, name: string): Promise<number> {
  // What people type who do not know our word for it.
  const meanings: Readonly<Record<string, RegExp>> = {
    init: /^(setup|set-up|install|configure|config|start|create)$/,
    check: /^(verify|test|diagnose|health|healthcheck|validate|info|debug)$/,
    migrate: /^(move|copy|sync|upload|transfer|cutover|switch)$/,
    rotate: /^(renew|key|keys)$/,
    undo: /^(uninstall|remove|revert|rollback|restore|delete|reset)$/,
  }
  const { isShowable, nearest } = await import('./core/nearest.ts')
  const [meant] = Object.entries(meanings).find(([, words]) => words.test(name)) ?? []
  const known = [...commands.map((command) => command.name), '--version', '--help']
  const guess = meant ?? nearest(name, known)
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`
  const what = isShowable(name.replace(/^--?/, ''))
    ? `There is no command ${name}.`
    : 'There is no such command.'
  host.stderr.write(`${what}${hint}\nSee: ${typed(host.program)} help\n`)
  return 2
}

function tooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 20 || (major === 20 && minor < 19)
}
