import type { MigrateRun } from '../migrate/prepare.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { ServicesPort } from '../services/mastodon/services-port.ts'
import { runnerOf } from './world.ts'

/** Mastodon's services as this user can reach them. */
export async function servicesOf(
  { host }: Pick<MigrateRun, 'host'>,
  installation: Installation,
): Promise<ServicesPort> {
  const { connectServices } = await import('../services/mastodon/service-control.ts')
  const runner = runnerOf(host)
  return connectServices({
    installation,
    asRoot: host.userId === 0,
    ask: (command, cwd) => runner.run(command, cwd),
    now: () => new Date(),
  })
}
