import { Cancelled } from '../core/problem.ts'
import { flow } from '../flow/flow.ts'
import type { Run } from '../flow/run.ts'
import type { TokenChoice } from '../flow/token.ts'
import type { Command, Host } from '../host.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { hasSwitch } from '../settings/argv.ts'
import { catalog, type SetupCatalog } from '../settings/catalog.ts'
import { chooseEdge, firstLook } from '../setup/first-look.ts'
import { initMenu } from './menu.ts'
import { goOnRehearsing, isFollowed, type KeptRehearsal } from './rehearsal-menu.ts'

export const init: Command = {
  async run(host, argv) {
    if (hasSwitch(host, argv, catalog.rotate)) {
      const rest = argv.filter((word) => word !== '--rotate')
      return (await import('../rotate/rotate.ts')).rotate.run(host, rest)
    }
    const choice = await chosenWay(host, argv)
    if (choice === undefined) return 130
    if (choice.command === 'check') return (await import('../check/check.ts')).check.run(host, argv)
    if (choice.command === 'rotate')
      return (await import('../rotate/rotate.ts')).rotate.run(host, argv)
    if (isFollowed(host, choice.argv)) {
      return goOnRehearsing(host, choice.argv, (kept) => setUp(host, choice.argv, undefined, kept))
    }
    return setUp(host, choice.argv, choice.found)
  },
}

/** Undefined when the person left the menu. */
async function chosenWay(host: Host, argv: readonly string[]) {
  try {
    return await initMenu(host, argv)
  } catch (error) {
    if (error instanceof Cancelled) return undefined
    throw error
  }
}

function setUp(
  host: Host,
  argv: readonly string[],
  found?: Installation,
  kept?: KeptRehearsal,
): Promise<number> {
  return flow(host, argv, {
    name: 'init',
    catalog,
    asksFirst: true,
    async prepare(given) {
      const run = kept ? { ...given, atEnd: kept.atEnd } : given
      const look = await firstLook(run, { lookOnly: false, found })
      const asked = chooseEdge(run, look.remembered)
      // The larger part of the program is loaded while somebody waits: the person reads, or Cloudflare is asked.
      if (isRead(run)) void loadRest()
      const [{ chooseCloudflare }] = await Promise.all([
        import('../flow/world.ts'),
        asked,
        import('../services/cloudflare/client.ts'),
        run.settings.ready(),
      ])
      const choice = await chooseCloudflare(run)
      askAhead(run, choice)
      const [{ prepareInit }] = await loadRest()
      return prepareInit(run, { look, choice, kept })
    },
  })
}

function loadRest() {
  return Promise.all([import('./prepare.ts'), import('../flow/carry-out.ts')])
}

/** Whether a person has a question to read before Cloudflare is asked anything. */
function isRead({ ui, settings }: Run<SetupCatalog>): boolean {
  return ui.canAsk && (!settings.on('yes') || settings.get('apiToken') === undefined)
}

/** Whoever asks for the same while it is under way gets that answer, and what is wrong with it. */
function askAhead({ settings }: Run<SetupCatalog>, { cloudflare }: TokenChoice): void {
  const mediaHost = settings.get('mediaHost')
  const asked = [cloudflare.listAccounts(), mediaHost && cloudflare.findZone(mediaHost)]
  Promise.all(asked).catch(() => undefined)
}
