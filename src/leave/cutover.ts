import { quietServices, restartFor } from '../moving/quiet.ts'
import type { PlaceWorld, StepIn, World } from '../plan/step.ts'
import { freshProcesses, restart } from '../setup/restart.ts'
import { compareWithDisk } from './compare.ts'
import { copyToDisk } from './copy.ts'
import { envSwitch, type Switching, switched, switchedOff } from './env-switch.ts'
import type { Leaving } from './leaving.ts'
import { readyToSwitch } from './ready.ts'

/** The switch as one plan: the order in which nothing is lost, as that of a migration. */
export function cutoverSteps(
  leaving: Leaving,
  switching: Switching,
): readonly StepIn<PlaceWorld>[] {
  const wishes = {
    mode: 'run',
    commands: restartFor(switching),
    assumeRestarted: false,
    meanwhile: 'The env file is put back.',
    about: 'storage',
  } as const
  return [
    readyToSwitch(leaving, switching),
    copyToDisk(leaving, 'catch-up'),
    quietServices(leaving, switching, (at) => isSwitched(at, switching)),
    copyToDisk(leaving, 'last'),
    envSwitch(leaving, switching),
    restart(wishes),
    freshProcesses(wishes),
    switched,
    copyToDisk(leaving, 'after'),
    compareWithDisk(leaving, { checksum: false, after: 'switched' }),
  ]
}

async function isSwitched(
  at: Pick<World, 'place'>,
  { readEnvFile }: Pick<Switching, 'readEnvFile'>,
): Promise<boolean> {
  const file = await readEnvFile()
  return switchedOff(at, file) === file.text
}
