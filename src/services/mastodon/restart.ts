import { type Command, commandLine } from '../process/command.ts'
import type { Installation } from './port.ts'

export interface RestartCommand {
  readonly command: Command
  readonly cwd?: string
  /** As a person types it into a shell, the folder included. */
  readonly line: string
}

/**
 * What makes Mastodon read its env file anew; empty when its kind is not known. Containers have to
 * be made anew (`restart` would keep the old environment); streaming does not use the storage.
 */
export function restartCommands(
  { kind, dir, units }: Pick<Installation, 'kind' | 'dir' | 'units'>,
  { asRoot }: { readonly asRoot: boolean },
): RestartCommand[] {
  if (kind === 'none') return []
  if (kind === 'docker') {
    const command = { program: 'docker', args: ['compose', 'up', '-d'], env: {} }
    const line = commandLine(command)
    if (dir === undefined) return [{ command, line }]
    const enter = commandLine({ program: 'cd', args: [dir], env: {} })
    return [{ command, cwd: dir, line: `${enter} && ${line}` }]
  }
  const systemctl = (...args: string[]): RestartCommand => {
    const [program, ...before] = asRoot ? ['systemctl'] : ['sudo', 'systemctl']
    const command = { program: program ?? '', args: [...before, ...args], env: {} }
    return { command, line: commandLine(command) }
  }
  const sidekiq = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
  const web = units.web.length > 0 ? units.web : ['mastodon-web.service']
  // A web unit without ExecReload can only be restarted.
  return [systemctl('restart', ...sidekiq), systemctl('reload-or-restart', ...web)]
}
