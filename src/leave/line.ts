import { type CommandFlags, ToType } from '../core/to-type.ts'
import { firstFlag, instead, noEffect } from '../settings/no-effect.ts'
import { repeated } from '../settings/replay.ts'
import type { Settings } from '../settings/resolve.ts'
import { type LeaveStage, type leaveCatalog, leaveFlags } from './settings.ts'

type LeaveSettings = Settings<typeof leaveCatalog>

/** Flags that do nothing in the other stages. */
const OF_STAGES: Partial<Record<string, readonly LeaveStage[]>> = {
  checksum: ['compare'],
  stop: ['cutover'],
  noDowntime: ['cutover'],
  transfers: ['copy', 'cutover'],
  suspendedOpen: ['copy', 'cutover'],
  undo: ['redirects'],
  assumeRestarted: ['redirects'],
  apiToken: ['redirects'],
  cloudflareApiUrl: ['redirects'],
}

function isOfOtherStage(name: string, stage: LeaveStage): boolean {
  return OF_STAGES[name]?.includes(stage) === false
}

/** Problem `flag-without-effect` for the first flag that this stage, or this destination, would drop. */
export function refuseOfOtherStage(settings: LeaveSettings, stage: LeaveStage): void {
  for (const [name, stages = []] of Object.entries(OF_STAGES)) {
    const flag = isOfOtherStage(name, stage) ? firstFlag(settings, [name]) : undefined
    const [first] = stages
    if (flag === undefined || first === undefined) continue
    const why = `It belongs to --stage ${stages.join(' or ')}.`
    throw noEffect(flag, why, instead(flag, lineOf(settings, first)))
  }
  if (settings.need('to') === 's3') {
    const flag = firstFlag(settings, ['mediaDir'])
    if (flag !== undefined) throw noEffect(flag, 'It belongs to --to disk.')
    return
  }
  const flag = firstFlag(settings, ['toEnv'])
  if (flag === undefined) return
  const line = lineOf(settings, stage, repeated, { to: 's3' })
  throw noEffect(flag, 'It belongs to --to s3.', instead(flag, line))
}

/** What to type for a stage of the same way out; `how`: `replay` for who is not asked. */
export function lineOf(
  settings: LeaveSettings,
  stage: LeaveStage,
  how = repeated,
  more: CommandFlags['leave'] = {},
): ToType {
  const own = settings
    .entries()
    .filter(([name]) => !isOfOtherStage(name, stage) && name !== 'stage')
  const { command, flags, secrets } = how('leave', leaveFlags, own)
  const { yes, ...rest } = flags
  return new ToType(command, { ...rest, stage, ...more, ...(yes && { yes }) }, secrets)
}
