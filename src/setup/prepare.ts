import { type Remembered, withPuma } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import type { TokenChoice } from '../flow/token.ts'
import { chooseCloudflare, connectWorld } from '../flow/world.ts'
import { inSetup, type World } from '../plan/step.ts'
import type { Rehearsal } from '../rehearse/rehearsal.ts'
import { readEnvFile } from '../services/mastodon/env-read.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import { chooseSetup } from './choose.ts'
import type { FirstLook } from './first-look.ts'

export interface PreparedSetup {
  readonly world: World
  readonly remembered: Remembered
  readonly rehearsal: Rehearsal | undefined
}

/** Everything between the first look and the plan, for the commands that make a setup or take it back. */
export async function prepareSetup(
  run: Run<SetupCatalog>,
  { installation, found, remembered, rehearsal }: FirstLook,
  /** `choice`: the token, where it is known by now. */
  { lookOnly, choice }: { readonly lookOnly: boolean; readonly choice?: TokenChoice | undefined },
): Promise<PreparedSetup> {
  const { ui, settings } = run
  const { cloudflare, token } = choice ?? (await chooseCloudflare(run))
  void loadAhead(lookOnly)
  const setup = await chooseSetup({
    settings,
    ui,
    installation: await withPuma(installation),
    remembered,
    cloudflare,
    token,
    readEnvFile,
    lookOnly,
  })
  const world = await connectWorld(run, inSetup(setup), {
    cloudflare,
    ca: rehearsal?.standIn.ca.pem,
    scratchOf: rehearsal && found.envFile,
  })
  return { world, remembered, rehearsal }
}

/** What is wanted behind the first answers, the largest part of the program with it, while they are under way. */
async function loadAhead(lookOnly: boolean): Promise<void> {
  await Promise.all([
    import('../services/mastodon/env-edit.ts'),
    import('../services/mastodon/env-write.ts'),
    import('../services/mastodon/processes.ts'),
  ])
  if (lookOnly) return
  await import('../services/s3/client.ts')
  await import('../services/public-web/client.ts')
}
