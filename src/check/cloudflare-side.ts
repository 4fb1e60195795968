import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Remembered } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { chooseCloudflare, connectWorld, runnerOf } from '../flow/world.ts'
import { planSteps, type ReportStep } from '../plan/report.ts'
import { inSetup, type World } from '../plan/step.ts'
import { type Plan, survey } from '../plan/survey.ts'
import type { Check, CheckWorld } from '../plan/verdict.ts'
import { chooseSetup } from '../setup/choose.ts'
import { initSteps } from '../setup/steps.ts'
import { cloudflareChecks, unasked } from './areas/cloudflare.ts'
import type { CheckCatalog } from './settings.ts'

export interface CloudflareSide {
  readonly checks: readonly Check[]
  /** What init would do, once it has been looked at. */
  steps(): ReportStep[]
  /** The same with its world; undefined where Cloudflare was not asked. */
  seen(): { readonly world: World; readonly plan: Plan } | undefined
}

/** Cloudflare's side, when a token was given; nobody is asked for one. */
export async function lookAtCloudflare(
  run: Run<CheckCatalog>,
  at: CheckWorld,
  remembered: Remembered,
): Promise<CloudflareSide> {
  if (run.settings.get('apiToken') === undefined) {
    return notAsked(undefined)
  }
  try {
    const world = await setupWorld(run, at, remembered)
    let plan: Plan | undefined
    const looking = survey(initSteps, world).then((seen) => {
      plan = seen
      return seen
    })
    looking.catch(() => undefined)
    // Nothing that was seen counts where the token is no good.
    await world.setup.token()
    return {
      checks: cloudflareChecks(world, () => looking),
      steps: () => (plan ? planSteps(plan, run.render) : []),
      seen: () => plan && { world, plan },
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return notAsked(error)
  }
}

function notAsked(problem: Problem | undefined): CloudflareSide {
  return { checks: [unasked(problem)], steps: () => [], seen: () => undefined }
}

/** The world that init would look at, chosen without a question. */
async function setupWorld(
  run: Run<CheckCatalog>,
  { installation, web, processes, storage }: CheckWorld,
  remembered: Remembered,
): Promise<World> {
  const { host, settings } = run
  if (settings.get('mediaHost') === undefined) throw noMediaHost()
  const warn = settings.on('quiet') ? () => undefined : run.ui.warn
  const ui = { ...run.ui, canAsk: false, warn }
  const { cloudflare, token } = await chooseCloudflare({ ...run, ui })
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  const setup = await chooseSetup({
    settings,
    ui,
    installation,
    remembered,
    cloudflare,
    token,
    readEnvFile,
    lookOnly: true,
  })
  const known = { ...setup, knownKey: setup.knownKey ?? storage.key }
  const given = { cloudflare, web, processes, runner: runnerOf(host) }
  return connectWorld({ ...run, ui }, inSetup(known), given)
}

function noMediaHost(): Problem {
  return new Problem({
    code: 'media-host-unknown',
    what: 'Cloudflare was not asked, because no media host is known.',
    why: "Mastodon's settings name none, and the host tells which zone to look at.",
    next: prose`Name it with --media-host, or set everything up: ${toType('init')}`,
  })
}
