import { catalog, runFlags } from '../settings/catalog.ts'
import { movingCatalog } from '../settings/moving.ts'
import { type FlagsOf, flag, oneOf, setting, text } from '../settings/setting.ts'

/** The way out, in its order; each stage is run alone. */
export const leaveStages = ['survey', 'copy', 'cutover', 'compare', 'redirects'] as const
export type LeaveStage = (typeof leaveStages)[number]

const what = { group: 'What to bring back' } as const

const own = {
  stage: setting({
    flag: '--stage',
    value: 'NAME',
    help: `one stage: ${leaveStages.join(', ')}`,
    rule: oneOf(leaveStages),
    fallback: 'survey',
    ...what,
  }),
  to: setting({
    flag: '--to',
    value: 'disk|s3',
    help: "where the media goes: Mastodon's folder on this machine, or another S3 provider",
    rule: oneOf(['disk', 's3']),
    fallback: 'disk',
    ...what,
  }),
  toEnv: setting({
    flag: '--to-env',
    value: 'PATH',
    help: "with --to s3: file with Mastodon's own lines for that provider (S3_BUCKET=..., the key, too)",
    rule: text,
    ...what,
  }),
  checksum: setting({
    flag: '--checksum',
    help: 'compare: contents (MD5) too; reads every file on the disk',
    rule: flag,
    ...what,
  }),
  suspendedOpen: setting({
    flag: '--suspended-open',
    help: 'do not ask Mastodon whose media is hidden: what is fetched of suspended users is readable as all else',
    rule: flag,
    ...what,
  }),
  undo: setting({
    flag: '--undo',
    help: 'redirects: take the redirect of the media host away again',
    rule: flag,
    answerable: false,
    ...what,
  }),
  assumeRestarted: setting({
    flag: '--assume-restarted',
    help: 'redirects: you have restarted Mastodon since the switch where it can not be seen from here',
    rule: flag,
    answerable: false,
    ...what,
  }),
  transfers: { ...movingCatalog.transfers, ...what },
  noDowntime: movingCatalog.noDowntime,
  stop: movingCatalog.stop,
} as const

/** Everything that finds a setup, and what `leave` adds. */
export const leaveCatalog = { ...catalog, ...own } as const

/** The settings that `leave` takes: a token is for redirects alone, the key reads the bucket. */
export const leaveFlags = {
  ...own,
  apiToken: { ...catalog.apiToken, help: 'file with a Cloudflare API token; for redirects' },
  mastodonDir: runFlags.mastodonDir,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
  mediaDir: catalog.mediaDir,
  answers: runFlags.answers,
  dryRun: runFlags.dryRun,
  yes: runFlags.yes,
  json: runFlags.json,
  quiet: runFlags.quiet,
  verbose: runFlags.verbose,
  timings: runFlags.timings,
  logFile: runFlags.logFile,
  noColor: runFlags.noColor,
  cloudflareApiUrl: runFlags.cloudflareApiUrl,
  s3EndpointUrl: runFlags.s3EndpointUrl,
  connectTo: runFlags.connectTo,
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    leave: FlagsOf<typeof leaveFlags>
  }
}
