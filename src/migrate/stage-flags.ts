import { Problem } from '../core/problem.ts'
import { ToType } from '../core/to-type.ts'
import { firstFlag, instead, isFlag, noEffect, ofCloudflare } from '../settings/no-effect.ts'
import { repeated } from '../settings/replay.ts'
import type { Stage } from '../settings/stages.ts'
import type { MigrateRun } from './migration.ts'
import { migrateFlags } from './settings.ts'

type Name = keyof typeof migrateFlags
type Settings = MigrateRun['settings']

/** The stages that a flag changes something in; one that is not here is read in all of them. */
const ofStages: Partial<Record<Name, readonly Stage[]>> = {
  slurper: ['copy'],
  checksum: ['compare', 'cutover'],
  headers: ['compare', 'cutover'],
  removeExtras: ['compare'],
  cleanMedia: ['cleanup'],
  cleanProfiles: ['cleanup'],
  cleanCards: ['cleanup'],
  cleanOrphans: ['cleanup'],
  cleanCache: ['cleanup'],
  noDowntime: ['cutover'],
  stop: ['cutover'],
  maxLoss: ['copy', 'compare', 'cutover'],
  withRemoved: ['copy', 'cutover'],
}

/** Said once for a whole migration: a stage that has no use for them hands them on in its next line. */
const ofWhole: Partial<Record<Name, readonly Stage[]>> = {
  engine: ['survey', 'announce', 'cleanup', 'copy'],
  transfers: ['survey', 'announce', 'cleanup', 'copy', 'cutover'],
  bwlimit: ['survey', 'announce', 'cleanup', 'copy', 'cutover'],
  from: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
  mediaDir: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
  onlyLocal: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
  skip: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
  withPrivate: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
  withSuspended: ['survey', 'announce', 'cleanup', 'copy', 'cutover', 'compare'],
}

/** Whether a line for another stage says it, too. */
export function isOfWhole(name: string, stage: Stage | undefined): boolean {
  if (Object.hasOwn(ofStages, name)) return false
  const stages = ofWhole[name as Name]
  return stages === undefined || stage === undefined || stages.includes(stage)
}

export function asksCloudflare(settings: Pick<Settings, 'get'>, stage: Stage | undefined): boolean {
  const isSlurper = settings.get('engine') === 'super-slurper'
  return isSlurper || settings.get('slurper') !== undefined || stage === 'redirects'
}

/** Problem `flag-without-effect` for the first flag that this stage would drop. */
export function refuseOfOtherStage(settings: Settings, stage: Stage): void {
  for (const [name, stages] of Object.entries({ ...ofStages, ...ofWhole })) {
    if (stages.includes(stage) || !isFlag(settings, name)) continue
    const flag = settings.source(name as Name) ?? ''
    const several = stages.length === 1 ? 'the stage' : 'the stages'
    const why = `It is for ${several} ${stages.join(', ')}.`
    const next = stages[0] && instead(flag, lineOfStage(settings, stages[0]))
    throw noEffect(`${flag} with the stage ${stage}`, why, next)
  }
  const asked = asksCloudflare(settings, stage) ? undefined : firstFlag(settings, ofCloudflare)
  if (asked === undefined) return
  const why = 'Cloudflare is asked by --engine super-slurper and by the stage redirects alone.'
  throw noEffect(`${asked} with the stage ${stage}`, why)
}

/** The line of another stage, with what it obeys of what was given. */
function lineOfStage(settings: Settings, stage: Stage): ToType {
  const dropped = new Set<string>([
    'stage',
    ...(asksCloudflare(settings, stage) ? [] : ofCloudflare),
    ...Object.entries({ ...ofStages, ...ofWhole }).flatMap(([name, stages]) =>
      stages.includes(stage) ? [] : [name],
    ),
  ])
  const entries = settings.entries().filter(([name]) => !dropped.has(name))
  const { command, flags, secrets } = repeated('migrate', migrateFlags, entries)
  return new ToType(command, { ...flags, stage }, secrets)
}

/** What the place where the media is now can't obey. */
export function refuseOfOtherSource(settings: Settings, kind: 'local' | 's3'): void {
  if (kind !== 's3') return
  if (!isFlag(settings, 'withSuspended')) return
  const why = 'Files of suspended users are known by their mode, and objects in a bucket have none.'
  throw noEffect('--with-suspended', `${why} They are copied like all others.`)
}

type Given = Pick<Settings, 'get' | 'source'>

/** What carries nothing has no use for how it is carried. */
const ofCarrying = [
  ...['engine', 'transfers', 'bwlimit', 'onlyLocal', 'skip', 'maxLoss'],
  ...['withPrivate', 'withSuspended', 'withRemoved'],
]

/** Pairs of which one would be dropped, why, and what to do instead. */
const PAIRS: readonly {
  readonly when: (settings: Given) => boolean
  readonly with: string
  readonly flags: readonly string[]
  readonly why: string
  readonly next?: string
}[] = [
  {
    when: (settings) => settings.get('from') === 's3',
    with: '--from s3',
    flags: ['mediaDir'],
    why: 'The media is read from the bucket, not from here.',
  },
  {
    when: (settings) => settings.get('slurper') !== undefined,
    with: '--slurper',
    flags: ofCarrying,
    why: 'It holds or ends jobs that are under way, and copies nothing.',
  },
  {
    when: (settings) => settings.get('engine') === 'super-slurper',
    with: '--engine super-slurper',
    flags: ['transfers', 'bwlimit'],
    why: 'Cloudflare carries the files then, at its own pace, and nothing of that passes through here.',
    next: 'Leave it out here; --stage cutover takes it, as its last copies are made by rclone.',
  },
]

/** Problem `flag-without-effect`, before anything is looked at. */
export function refusePairs(settings: Given): void {
  for (const pair of PAIRS) {
    const flag = pair.when(settings) ? firstFlag(settings, pair.flags) : undefined
    if (flag !== undefined) throw noEffect(`${flag} with ${pair.with}`, pair.why, pair.next)
  }
}

export function onlyFromS3(): Problem {
  return new Problem({
    code: 'engine-needs-s3',
    what: 'Super Slurper copies from one bucket to another, and the media is on this machine.',
    why: "Cloudflare's engine can't read a disk.",
    next: 'Leave --engine out: rclone copies it.',
    exit: 2,
  })
}
