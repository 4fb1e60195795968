import { announce } from '../announce/announce.ts'
import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { refuseOtherAccount } from '../flow/token.ts'
import { servicesOf } from '../flow/world.ts'
import type { Stage } from '../settings/stages.ts'
import { cleanupSteps } from './cleanup.ts'
import { compareStage } from './compare/stage.ts'
import { copyMedia } from './copy/copy.ts'
import { cutoverSteps } from './cutover/steps.ts'
import type { PreparedStage, PrepareStage } from './migration.ts'
import { holdSlurper, slurp } from './slurper/super-slurper.ts'
import { onlyFromS3 } from './stage-flags.ts'
import { surveyStage } from './survey/survey.ts'

const stepsOnly = (steps: PreparedStage['steps']): PreparedStage => ({
  steps,
  found: () => ({ report: {}, tables: [] }),
  done: async () => undefined,
})

/** What each stage looks at and changes; `redirects` is a command of its own. */
export const stagesInDetail: Record<Exclude<Stage, 'redirects'>, PrepareStage> = {
  survey: surveyStage,

  async announce(run, { migration, installation }) {
    const { commands } = await servicesOf(run, installation)
    return stepsOnly([announce(migration, { reload: commands?.reloadWeb })])
  },

  async cleanup({ settings }, { migration, stream, switchedOn }) {
    const wishes = {
      mediaDays: settings.get('cleanMedia'),
      profiles: settings.on('cleanProfiles'),
      previewCardDays: settings.get('cleanCards'),
      orphans: settings.on('cleanOrphans'),
      allRemote: settings.on('cleanCache'),
    }
    if (switchedOn) throw tooLate()
    const mode = migration.tootctl.command([]) === undefined ? 'print' : 'run'
    const steps = cleanupSteps(migration, { ...wishes, stream, mode })
    if (steps.length > 0) return stepsOnly(steps)
    throw nothingToClean()
  },

  async copy({ settings }, { migration, old, target, world, installation }) {
    // What Super Slurper leaves behind is found by the copy after it, which lists both sides.
    const atOnce = settings.on('yes') && !settings.on('dryRun')
    const maxLoss = settings.need('maxLoss')
    const wish = settings.get('slurper')
    const isAlone = settings.need('engine') === 'rclone' && wish === undefined
    const copy = copyMedia(migration, { round: 'copy', atOnce, isAlone, maxLoss })
    if (isAlone) return stepsOnly([copy])
    if (old === undefined) throw onlyFromS3()
    const { path: from } = target.aside ?? installation.envFile
    refuseOtherAccount(settings, { accountId: target.accountId, from })
    const accountId = target.accountId ?? settings.get('accountId')
    if (accountId === undefined) throw unknownAccount()
    const between = { at: { ...world.place.at, accountId }, source: old.slurper }
    if (wish !== undefined) return stepsOnly([holdSlurper(migration, { ...between, wish })])
    return stepsOnly([slurp(migration, between), copy])
  },

  cutover: cutoverSteps,
  compare: compareStage,
}

function unknownAccount(): Problem {
  return new Problem({
    code: 'account-unknown',
    what: 'It is not known which Cloudflare account the bucket is in.',
    why: 'S3_ENDPOINT is an address of your own, which does not tell the account.',
    next: 'Name it with --account-id. Or leave --engine out: rclone copies it.',
    exit: 2,
  })
}

function tooLate(): Problem {
  return new Problem({
    code: 'clean-up-too-late',
    what: 'Mastodon stores its media on R2 already.',
    why: 'tootctl would remove there what was just copied; the clean-up before a copy has no use any more.',
    next: "Run tootctl yourself as before: see Mastodon's docs, admin/tootctl.",
    exit: 2,
  })
}

function nothingToClean(): Problem {
  return new Problem({
    code: 'nothing-to-clean',
    what: 'It was not said what to clean up.',
    why: 'What tootctl removes is gone, so nothing of it is done by itself.',
    next: prose`Say it, for example: ${toType('migrate', { stage: 'cleanup', cleanMedia: '7', cleanProfiles: true, dryRun: true })}`,
    exit: 2,
  })
}
