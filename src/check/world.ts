import { Problem } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import { findMastodonHere } from '../flow/mastodon-here.ts'
import { callListener, processesOf, webConnector } from '../flow/world.ts'
import type { CheckWorld, ConfiguredStorage } from '../plan/verdict.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { announcedHosts } from './check-announced.ts'
import type { CheckCatalog } from './settings.ts'

/** Milliseconds for a request that carries nothing; Mastodon itself gives up after 5 s. */
const HASTY_MS = 8_000

/** Connections for the checks; none of them is opened yet. */
export async function checkWorld(
  run: Run<CheckCatalog>,
  installation: Installation,
  storage: ConfiguredStorage,
): Promise<CheckWorld> {
  const { host, ui, settings, clock } = run
  const onCall = callListener(ui, settings.on('verbose'))
  const { connectS3 } = await import('../services/s3/client.ts')
  const { envReader } = await import('../services/mastodon/env-reader.ts')
  const connect = (endpoint: string, timeoutMs?: number): CheckWorld['connectS3'] => {
    const options = { endpoint, bucket: storage.bucket ?? '', timeoutMs, onCall }
    return (key) => connectS3({ ...options, key })
  }
  return {
    installation,
    storage,
    connectS3: connect(storage.endpoint ?? ''),
    connectS3At: (endpoint) => connect(endpoint, HASTY_MS),
    web: await webConnector({ connectTo: settings.get('connectTo') ?? [], ca: undefined, onCall }),
    processes: processesOf(host, installation),
    envReader,
    clock,
    announced: () => announcedHosts(run, installation),
  }
}

/** Mastodon on this machine. Throws Problem `nothing-to-check` where no settings are. */
export async function findInstallation(run: Run<CheckCatalog>): Promise<Installation> {
  const installation = await findMastodonHere(run)
  if (installation.envFile.exists || installation.settings.size > 0) return installation
  throw new Problem({
    code: 'nothing-to-check',
    what: `There are no settings of Mastodon here: ${installation.envFile.path} does not exist.`,
    why: 'What is checked is what Mastodon uses, and that stands in its env file.',
    next: "Name the file with --env-file, or run this in Mastodon's folder. Nothing set up yet: npx mastodon-r2 init",
    exit: 2,
  })
}
