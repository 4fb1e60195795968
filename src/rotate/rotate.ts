import { Problem } from '../core/problem.ts'
import { prose, type ToType, toType } from '../core/to-type.ts'
import { flow } from '../flow/flow.ts'
import type { Ended, Run } from '../flow/run.ts'
import type { Command, StandIn } from '../host.ts'
import type { Report } from '../plan/report.ts'
import type { MintingWorld, StepIn } from '../plan/step.ts'
import { rehearsalOver, rehearsed } from '../rehearse/rehearsed.ts'
import { restartCommands } from '../services/mastodon/service-control.ts'
import { hasSwitch } from '../settings/argv.ts'
import { firstFlag, noEffect } from '../settings/no-effect.ts'
import { replay } from '../settings/replay.ts'
import { keyInUse } from '../setup/access-keys.ts'
import { uploadProbe } from '../setup/proof.ts'
import { publicRead } from '../setup/public-read.ts'
import { freshProcesses, noneToRestart, type RestartWishes, restart } from '../setup/restart.ts'
import { mintingToken } from '../setup/token.ts'
import type { Closing } from '../ui/port.ts'
import { keyLines } from './env-file.ts'
import { newKey, oldKey, oldKeyName } from './keys.ts'
import { prepareRotation } from './prepare.ts'
import { grace, retireKey } from './retire.ts'
import { printSchedule } from './schedule.ts'
import { rotateCatalog, rotateFlags } from './settings.ts'

interface RotateEnded extends Ended {
  readonly world: MintingWorld
  readonly again: ToType
  readonly standIn?: StandIn | undefined
}

type Section = Closing['sections'][number]

/** The last words of `rotate`: whether the old key is gone, and what is left for the person. */
export function rotateClosing(ended: RotateEnded): Closing {
  const { report, standIn } = ended
  if (report.problem && standIn) {
    return { headline: 'This ends here; nothing of yours was changed.', sections: [] }
  }
  if (report.problem) {
    const done = report.steps.filter(({ status }) => status === 'changed').length
    const headline =
      done === 0 ? 'The old key stays in use.' : 'Not finished. Uploads go on working.'
    return { headline, sections: goOn(ended) }
  }
  if (report.dryRun) {
    const carryOut = { title: 'To carry it out', lines: [prose`  ${ended.again}`] }
    const sections = standIn ? over(standIn) : [carryOut]
    return { headline: 'That is the plan. Nothing was changed.', sections }
  }
  const open = unfinished(report)
  if (open.length === 0) {
    return {
      headline: 'Rotated: the new key is in use, the old one is gone.',
      sections: [...env(ended), ...(standIn ? over(standIn) : [])],
    }
  }
  const [first] = open
  const isRestart = first?.id === 'restart' || first?.id === 'fresh-processes'
  const headline = isRestart
    ? 'The new key is in the env file. The old key stays active until Mastodon uses the new one.'
    : 'The new key is in use; the old one is still active.'
  return { headline, sections: [...env(ended), ...left(ended), ...(isRestart ? goOn(ended) : [])] }
}

function over(standIn: StandIn): Section[] {
  return rehearsalOver(standIn, toType('rotate'))
}

/** The steps that this run could not do: until they are done, the old key is there. */
function unfinished({ steps }: Pick<Report, 'steps'>): Report['steps'] {
  return steps.filter(({ status }) => status === 'skipped')
}

function env({ facts }: RotateEnded): Section[] {
  const written = facts.envWritten
  if (!written || written.diff.length === 0) return []
  const lines = written.diff.map((line) => `  ${line}`)
  const backup = written.backup === undefined ? [] : [`The file as it was: ${written.backup}`]
  return [{ title: `Changed in ${written.file}`, lines: [...lines, ...backup] }]
}

/** The commands that are left to a person, and what else could not be done in this run. */
function left({ report, left: commands }: RotateEnded): Section[] {
  const notes = report.steps.filter(
    ({ id, status, note }) =>
      status === 'skipped' &&
      !note.startsWith('waits for:') &&
      !(id === 'restart' && commands.length > 0),
  )
  const sections = [
    {
      title: 'Restart Mastodon, so that it uses the new key',
      lines: commands.map((line) => prose`  ${line}`),
    },
    { title: 'What is left', lines: notes.map(({ title, note }) => `${title}: ${note}`) },
  ]
  return sections.filter(({ lines }) => lines.length > 0)
}

function goOn({ again }: RotateEnded): Section[] {
  return [{ title: 'To go on from here (no second key is made)', lines: [prose`  ${again}`] }]
}

/** At every moment the key in the env file works, and nobody who still uses the old one loses it. */
export function rotateSteps(
  wishes: RestartWishes & { readonly graceMs: number },
  standIn?: StandIn,
): readonly StepIn<MintingWorld>[] {
  return [
    mintingToken,
    oldKey,
    newKey,
    uploadProbe,
    oldKeyName,
    keyLines,
    keyInUse,
    ...(standIn ? [noneToRestart] : [restart(wishes), freshProcesses(wishes)]),
    publicRead,
    grace(wishes.graceMs),
    retireKey,
  ]
}

export const rotate: Command = {
  async run(host, argv) {
    if (hasSwitch(host, argv, rotateFlags.schedule)) return printSchedule(host, argv)
    return flow(host, argv, {
      name: 'rotate',
      catalog: rotateCatalog,
      accepts: rotateFlags,
      async prepare(given) {
        if (given.settings.on('roll')) throw noRoll()
        const run = await rehearsedRotation(given)
        const world = await prepareRotation(run)
        const wishes = await restartWishes(run, world)
        const { standIn } = run.host
        const again = replay('rotate', rotateFlags, run.settings.entries())
        return {
          world,
          steps: rotateSteps({ ...wishes, graceMs: run.settings.need('grace') }, standIn),
          planTitle: standIn ? 'Plan (rehearsal)' : 'Plan',
          shown: ['mediaHost', 'bucket', 'accountId', 'grace', 'restart', 'allowIp', 'expires'],
          again,
          closing: (ended) => rotateClosing({ ...ended, world, again, standIn }),
          isUnfinished: (report) => unfinished(report).length > 0,
        }
      },
    })
  },
}

/** Links that the old key signed are nobody's in a rehearsal: unless told, none is waited for. */
async function rehearsedRotation<R extends Run<typeof rotateCatalog>>(given: R): Promise<R> {
  const { settings } = given
  if (!settings.on('sandbox')) return given
  const flag = firstFlag(settings, ['restart', 'assumeRestarted'])
  if (flag !== undefined) {
    throw noEffect(`${flag} with --sandbox`, 'In a rehearsal no Mastodon uses the scratch copy.')
  }
  settings.forget('restart')
  if (settings.get('grace') === undefined) settings.offer('grace', '0s', 'sandbox')
  return rehearsed(given)
}

async function restartWishes(
  { host, ui, settings }: Run<typeof rotateCatalog>,
  { place }: MintingWorld,
): Promise<RestartWishes> {
  const commands = restartCommands(place.installation, { asRoot: host.userId === 0 })
  const assumeRestarted = settings.on('assumeRestarted')
  const given = settings.get('restart')
  const wish = given ?? 'ask'
  if (given !== undefined && given !== 'print' && commands.length === 0) {
    const why = 'It is not known how Mastodon is started on this machine.'
    throw noEffect(`--restart ${given}`, why, 'Give --restart print, and restart it yourself.')
  }
  if (given === 'ask' && !ui.canAsk) {
    const next = 'Give --restart run, or --restart print and restart it yourself.'
    throw noEffect('--restart ask', 'Nobody is there to ask (no terminal).', next)
  }
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
