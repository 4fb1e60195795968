import type { Command } from '../process/command.ts'
import type { Installation } from './port.ts'

export interface RestartCommand {
  readonly command: Command
  readonly cwd?: string
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
    return [{ command, ...(dir === undefined ? {} : { cwd: dir }) }]
  }
  const systemctl = (...args: string[]): RestartCommand => {
    const [program, ...before] = asRoot ? ['systemctl'] : ['sudo', 'systemctl']
    return { command: { program: program ?? '', args: [...before, ...args], env: {} } }
  }
  const sidekiq = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
  const web = units.web.length > 0 ? units.web : ['mastodon-web.service']
  // A web unit without ExecReload can only be restarted.
  return [systemctl('restart', ...sidekiq), systemctl('reload-or-restart', ...web)]
}
