#!/usr/bin/env node
import { commands, inner, overview } from './commands.ts'
import { type Host, processHost } from './host.ts'

const host = processHost()
host.leave(await main(host))

async function main(host: Host): Promise<number> {
  const [name = 'help', ...rest] = host.argv
  const asksForHelp = name === '--help' || name === '-h' || name === 'help'
  if (name === '--version' || name === '-v') {
    host.stdout.write(`${host.version}\n`)
    return 0
  }
  if (tooOld(host.nodeVersion)) {
    host.stderr.write(`mastodon-r2 needs Node 20.19 or newer; this is ${host.nodeVersion}.
Install a newer Node, or run it with one: npx -p node@22 -p mastodon-r2 mastodon-r2 ${name}\n`)
    return 1
  }
  if (asksForHelp && rest.length === 0) {
    host.stdout.write(overview(host.version))
    return 0
  }
  const known = host.parent === undefined ? commands : [...inner, ...commands]
  const entry = known.find((command) => command.name === (asksForHelp ? 'help' : name))
  if (entry && entry.name !== 'help' && rest.some((word) => word === '--help' || word === '-h')) {
    const { helpOn } = await import('./help.ts')
    return helpOn(commands, overview).run(host, [entry.name])
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
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    host.stderr.write(`
This is a bug in mastodon-r2 ${host.version} (Node ${host.nodeVersion}), not your mistake:
${text}
Running the same command again is safe. Please report the lines above.\n`)
    return 1
  }
}

async function unknownCommand(host: Host, name: string): Promise<number> {
  const { nearest } = await import('./core/nearest.ts')
  const guess = nearest(name, [...commands.map((command) => command.name), '--version', '--help'])
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`
  host.stderr.write(`There is no command ${name}.${hint}\nSee: mastodon-r2 help\n`)
  return 2
}

function tooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 20 || (major === 20 && minor < 19)
}
