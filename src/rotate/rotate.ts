import type { Command } from '../commands.ts'
import { Problem } from '../core/problem.ts'
import { flow, type Run } from '../flow/flow.ts'
import type { Step, World } from '../plan/step.ts'
import { restartCommands } from '../services/mastodon/restart.ts'
import { replay } from '../settings/replay.ts'
import { keyInUse } from '../setup/access-keys.ts'
import { freshProcesses } from '../setup/fresh-processes.ts'
import { mintingToken } from '../setup/minting-token.ts'
import { uploadProbe } from '../setup/proof.ts'
import { publicRead } from '../setup/public-read.ts'
import { type RestartWishes, restart } from '../setup/restart.ts'
import { keyLines } from './env-lines.ts'
import { grace } from './grace.ts'
import { oldKey } from './keys.ts'
import { newKey } from './new-key.ts'
import { oldKeyName } from './old-key-name.ts'
import { prepareRotation } from './prepare.ts'
import { retireKey } from './retire.ts'
import { rotateClosing } from './rotate-closing.ts'
import { printSchedule } from './schedule.ts'
import { rotateCatalog, rotateFlags } from './settings.ts'

/** At every moment the key in the env file works, and nobody who still uses the old one loses it. */
export function rotateSteps(wishes: RestartWishes & { readonly graceMs: number }): readonly Step[] {
  return [
    mintingToken,
    oldKey,
    newKey,
    uploadProbe,
    oldKeyName,
    keyLines,
    keyInUse,
    restart(wishes),
    freshProcesses(wishes),
    publicRead,
    grace(wishes.graceMs),
    retireKey,
  ]
}

export const rotate: Command = {
  async run(host, argv) {
    if (argv.includes('--schedule')) return printSchedule(host, argv)
    return flow(host, argv, {
      name: 'rotate',
      catalog: rotateCatalog,
      accepts: rotateFlags,
      async prepare(run) {
        if (run.settings.on('roll')) throw noRoll()
        const world = await prepareRotation(run)
        const wishes = await restartWishes(run, world)
        const again = replay('rotate', rotateFlags, run.settings.entries())
        return {
          world,
          steps: rotateSteps({ ...wishes, graceMs: run.settings.need('grace') }),
          planTitle: 'Plan',
          shown: ['mediaHost', 'bucket', 'accountId', 'grace', 'restart', 'allowIp', 'expires'],
          again,
          closing: (ended) => rotateClosing({ ...ended, world, again }),
        }
      },
    })
  },
}

async function restartWishes(
  { host, ui, settings }: Run<typeof rotateCatalog>,
  { setup }: World,
): Promise<RestartWishes> {
  const commands = restartCommands(setup.installation, { asRoot: host.userId === 0 })
  const assumeRestarted = settings.on('assumeRestarted')
  const wish = settings.get('restart') ?? 'ask'
  if (wish !== 'ask') return { mode: wish, commands, assumeRestarted }
  if (!ui.canAsk || settings.on('dryRun') || assumeRestarted || commands.length === 0) {
    return { mode: 'print', commands, assumeRestarted }
  }
  const answer = await ui.choose({
    message: 'Mastodon has to be restarted once the new key is in the env file. Who does that?',
    options: [
      { value: 'run', label: 'This program', hint: commands.map(({ line }) => line).join(' && ') },
      { value: 'print', label: 'I do it myself', hint: 'the commands are printed' },
    ],
  })
  settings.offer('restart', answer, 'you')
  return { mode: answer === 'run' ? 'run' : 'print', commands, assumeRestarted }
}

function noRoll(): Problem {
  return new Problem({
    code: 'no-roll',
    what: 'A key is never rolled here.',
    why: 'Rolling gives the same key a new secret, and the old secret dies at that moment: every upload would fail until Mastodon is restarted, and links to archives would break.',
    next: 'Leave --roll out: a second key is made, put in place and proven, and only then the old one goes.',
    exit: 2,
  })
}
