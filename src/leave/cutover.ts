import { quietServices, restartFor } from '../moving/quiet.ts'
import type { PlaceWorld, StepIn, World } from '../plan/step.ts'
import type { NewProvider } from '../setup/new-provider.ts'
import { freshProcesses, restart } from '../setup/restart.ts'
import { compareSides } from './compare.ts'
import { copyThere } from './copy.ts'
import { envSwitch, type Switching, switched, switchedTo } from './env-switch.ts'
import type { Leaving } from './leaving.ts'
import { newHost, providerProbe } from './new-host.ts'
import { readyToSwitch } from './ready.ts'

/** The switch as one plan: the order in which nothing is lost, as that of a migration. */
export function cutoverSteps(
  leaving: Leaving,
  switching: Switching,
  provider: NewProvider | undefined,
): readonly StepIn<PlaceWorld>[] {
  const wishes = {
    mode: 'run',
    commands: restartFor(switching),
    assumeRestarted: false,
    meanwhile: 'The env file is put back.',
    about: 'storage',
  } as const
  const isSwitched = async ({ facts }: Pick<World, 'facts'>) => {
    const file = await switching.readEnvFile()
    return switchedTo(leaving, facts, file) === file.text
  }
  return [
    readyToSwitch(leaving, switching, provider),
    ...provedFirst(provider, leaving.rclone),
    copyThere(leaving, 'catch-up'),
    quietServices(leaving, switching, isSwitched),
    copyThere(leaving, 'last'),
    envSwitch(leaving, switching),
    restart(wishes),
    freshProcesses(wishes),
    switched(leaving),
    copyThere(leaving, 'after'),
    compareSides(leaving, { checksum: false, after: 'switched' }),
  ]
}

/** Another provider is tried with the requests of Mastodon before anything goes there. */
export function provedFirst(
  provider: NewProvider | undefined,
  rclone: Leaving['rclone'],
): readonly StepIn<PlaceWorld>[] {
  return provider ? [providerProbe(provider, rclone), newHost(provider, rclone)] : []
}
