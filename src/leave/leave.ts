import { unlessStopped } from '../core/clock.ts'
import { prose, type Text, ToType, toType } from '../core/to-type.ts'
import { carryOut, type Ended, type Run, session, settingsOf } from '../flow/flow.ts'
import { findMastodonHere, holdEnvFile } from '../flow/mastodon-here.ts'
import { noMediaFolder, openMediaFolder } from '../flow/media-folder.ts'
import { connectWorld, servicesOf } from '../flow/world.ts'
import type { Command } from '../host.ts'
import { variantOf, WAIT_JOBS_MS } from '../moving/quiet.ts'
import { NOT_TAKEN_BACK } from '../plan/apply.ts'
import type { PlaceWorld, StepIn } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { StreamPort } from '../services/process/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { firstFlag, noEffect } from '../settings/no-effect.ts'
import { repeated, replay } from '../settings/replay.ts'
import { unfinished } from '../setup/closing.ts'
import { findTarget, targetPlace } from '../setup/target.ts'
import type { Closing } from '../ui/port.ts'
import { compareWithDisk, survey } from './compare.ts'
import { copyToDisk } from './copy.ts'
import { cutoverSteps } from './cutover.ts'
import { hiddenKeys } from './hidden.ts'
import type { Leaving } from './leaving.ts'
import { type LeaveStage, leaveCatalog, leaveFlags } from './settings.ts'

type LeaveRun = Run<typeof leaveCatalog>

/** The way out: the media of a server that is on R2 comes back to its disk, a stage at a time. */
export const leave: Command = {
  run: (host, argv) => {
    const spec = { name: 'leave', catalog: leaveCatalog, accepts: leaveFlags }
    return session(host, argv, spec, async (run, draft) => {
      const { settings } = run
      const stage = settings.need('stage')
      settings.need('to')
      const { world, at } = await unlessStopped(host.interrupted, prepare(run, stage))
      const again = lineOf(run, stage, replay)
      return carryOut(
        run,
        {
          world,
          steps: await stepsOf(run, { at, world }, stage),
          planTitle: `Plan: ${stage}`,
          shown: ['stage', 'to'],
          again,
          closing: (ended) => closingOf(ended, { at, stage, again }),
        },
        { ...draft, settings: settingsOf(settings) },
      )
    })
  },
}

async function stepsOf(
  run: LeaveRun,
  { at, world }: Prepared,
  stage: LeaveStage,
): Promise<readonly StepIn<PlaceWorld>[]> {
  const { settings } = run
  if (stage === 'cutover') {
    const { installation } = world.place
    const variant = wishedVariant(run)
    const services = await servicesOf(run, installation)
    const { readEnvFile } = await import('../services/mastodon/env-read.ts')
    return cutoverSteps(at, {
      variant,
      services,
      waitJobsMs: WAIT_JOBS_MS,
      readEnvFile: () => readEnvFile(installation.envFile.path),
    })
  }
  if (stage === 'survey') return [survey(at)]
  if (stage === 'copy') return [copyToDisk(at)]
  return [compareWithDisk(at, { checksum: settings.on('checksum') })]
}

interface Prepared {
  readonly world: PlaceWorld
  readonly at: Leaving
}

/** Between the flags and the plan; the bucket is asked nothing yet. */
async function prepare(run: LeaveRun, stage: LeaveStage): Promise<Prepared> {
  const { host, settings } = run
  refuseOfOtherStage(run, stage)
  wishedVariant(run)
  const found = await findMastodonHere(run, { files: 0, ms: 0 })
  const writes = stage === 'copy' || stage === 'cutover'
  const holds = writes && (await holdEnvFile(run, found.envFile, { lookOnly: false }))
  const installation = holds ? await findMastodonHere(run, { files: 0, ms: 0 }) : found
  const target = await findTarget(installation, settings.get('s3EndpointUrl'))
  const world = await connectWorld(run, { place: targetPlace(installation, target) })
  const { endpoint, bucket, key } = target
  const root = installation.media.root
  if (root === undefined) throw noMediaFolder(installation)
  const folder = await openMediaFolder(run, root)
  const { as } = folder.from
  const over = new AbortController()
  run.atEnd.push(async () => over.abort())
  const { connectRclone } = await import('../services/rclone/client.ts')
  const stream = await streamOf(run)
  const signal = AbortSignal.any([host.interrupted, over.signal])
  let opened: S3Port | undefined
  const at: Leaving = {
    bucket: () => (opened ??= world.connectS3(key)),
    from: { kind: 'bucket', endpoint, bucket, region: 'auto', key, provider: 'Cloudflare' },
    disk: folder.source,
    landing: folder.landing,
    bringBack: folder.bringBack,
    stage: { kind: 'folder', path: folder.landing.stage, ...(as && { as }) },
    rclone: connectRclone(stream),
    transfers: settings.get('transfers'),
    hidden: hiddenOnce(run, installation, stream, signal),
    signal,
    lineFor: (other) => lineOf(run, other, repeated),
    tell: (line) => run.ui.progress(line === '' ? undefined : line),
    say: (line) => run.ui.say(line),
  }
  return { world, at }
}

async function streamOf({ host }: LeaveRun): Promise<StreamPort> {
  const { stream } = await import('../services/process/stream.ts')
  const { environment } = host
  return { stream: (command, options) => stream(command, { ...options, environment }) }
}

function hiddenOnce(
  { host, settings }: LeaveRun,
  installation: Installation,
  stream: StreamPort,
  signal: AbortSignal,
): Leaving['hidden'] {
  let asked: Promise<ReadonlySet<string>> | undefined
  return () => {
    asked ??= settings.on('suspendedOpen')
      ? Promise.resolve(new Set<string>())
      : hiddenKeys({ installation, stream, asRoot: host.userId === 0, signal })
    return asked
  }
}

function lineOf({ settings }: LeaveRun, stage: LeaveStage, how: typeof replay): ToType {
  const own = settings
    .entries()
    .filter(([name]) => !isOfOtherStage(name, stage) && name !== 'stage')
  const { command, flags, secrets } = how('leave', leaveFlags, own)
  const { yes, ...rest } = flags
  return new ToType(command, { ...rest, stage, ...(yes && { yes }) }, secrets)
}

function closingOf(
  ended: Ended,
  { at, stage, again }: { at: Leaving; stage: LeaveStage; again: ToType },
): Closing {
  const { report } = ended
  const section = (title: string, line: Text) => ({ title, lines: [prose`  ${line}`] })
  if (report.problem) {
    const headline = stage === 'cutover' ? switchHeadline(ended) : unfinished({ report })
    return { headline, sections: [section('To go on from here', again)] }
  }
  if (report.dryRun) {
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [section('To carry it out', again)],
    }
  }
  if (stage === 'survey') {
    return {
      headline: 'Nothing was changed.',
      sections: [section('To fetch it, while Mastodon goes on with R2', at.lineFor('copy'))],
    }
  }
  if (stage === 'copy') {
    return {
      headline: 'The disk holds what the bucket held. Mastodon goes on with R2.',
      sections: [
        section('To see that nothing is missing', at.lineFor('compare')),
        section('To switch Mastodon to the disk', at.lineFor('cutover')),
      ],
    }
  }
  if (stage === 'cutover') {
    return {
      headline: 'Mastodon stores its media on the disk.',
      sections: [
        {
          title: 'Keep the bucket and the media host for some weeks',
          lines: [
            'Other servers, browsers and caches remember addresses there. The bucket is as it was; a way back to R2 stays prepared:',
            prose`  ${toType('migrate')}`,
          ],
        },
      ],
    }
  }
  return { headline: 'The disk holds all of the bucket.', sections: [] }
}

function switchHeadline({ report, facts }: Ended): string {
  if (facts.switched)
    return 'Mastodon stores its media on the disk; what follows did not come to its end.'
  // A run before this one wrote it, and only that one knew what stood there.
  const wasThere = report.steps.some(({ id, status }) => id === 'env-switch' && status === 'ready')
  if (wasThere) return 'Not finished: the env file names the disk, and stays so.'
  const isBack = !report.steps.some(({ note }) => note.startsWith(NOT_TAKEN_BACK))
  return isBack
    ? 'Not switched; everything is back as it was.'
    : 'Not switched, and not all of it is back: see what is said above.'
}

function wishedVariant({ settings }: LeaveRun) {
  return variantOf({ stop: settings.on('stop'), noDowntime: settings.on('noDowntime') })
}

/** Flags that do nothing in the other stages. */
const OF_STAGES: Partial<Record<string, readonly LeaveStage[]>> = {
  checksum: ['compare'],
  stop: ['cutover'],
  noDowntime: ['cutover'],
  transfers: ['copy', 'cutover'],
  suspendedOpen: ['copy', 'cutover'],
}

function isOfOtherStage(name: string, stage: LeaveStage): boolean {
  return OF_STAGES[name]?.includes(stage) === false
}

function refuseOfOtherStage({ settings }: LeaveRun, stage: LeaveStage): void {
  for (const [name, stages = []] of Object.entries(OF_STAGES)) {
    const flag = isOfOtherStage(name, stage) ? firstFlag(settings, [name]) : undefined
    if (flag !== undefined) throw noEffect(flag, `It belongs to --stage ${stages.join(' or ')}.`)
  }
}
