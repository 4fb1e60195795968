import { catalog, rehearsedHelp } from '../settings/catalog.ts'
import { type FlagsOf, flag, oneOf, setting } from '../settings/setting.ts'

const group = 'What to look at'
const fromEnvFile = { fallbackHelp: 'from the env file', group } as const

const own = {
  mediaHost: {
    ...catalog.mediaHost,
    help: "the media host to look at, instead of the env file's",
    ...fromEnvFile,
  },
  bucket: {
    ...catalog.bucket,
    help: "the bucket to look at, instead of the env file's",
    ...fromEnvFile,
  },
  jurisdiction: {
    ...catalog.jurisdiction,
    help: 'the jurisdiction of the bucket: default, eu, us, fedramp or fedramp-high',
    ...fromEnvFile,
  },
  quick: setting({
    flag: '--quick',
    help: 'only look: no test file is uploaded, so less is seen',
    rule: flag,
    answerable: false,
    group,
  }),
  fix: setting({
    flag: '--fix',
    help: 'put right what can be put right safely: one plan, one yes, and all checks once more',
    rule: flag,
    answerable: false,
    group: 'Put it right',
  }),
  format: setting({
    flag: '--format',
    value: 'nagios',
    // The rule's variable is about the block that init prints.
    env: 'MASTODON_R2_CHECK_FORMAT',
    help: 'one line with performance data and the exit codes of a plugin: 0 OK, 1 warning, 2 critical, 3 unknown',
    rule: oneOf(['nagios']),
    answerable: false,
    group: 'What is shown',
  }),
} as const

/** The settings of `check`: those of a setup, so that Cloudflare's side can be looked at. */
export const checkCatalog = {
  ...catalog,
  quick: own.quick,
  fix: own.fix,
  // What takes the settings of a setup never reads this one.
  format: own.format as unknown as typeof catalog.format,
}

/** The ones that have a flag: what finds a setup, and nothing that makes or writes things. */
export const checkFlags = {
  ...own,
  accountId: catalog.accountId,
  apiToken: {
    ...catalog.apiToken,
    help: "file with a Cloudflare API token (- reads standard input), to look at Cloudflare's side, too",
  },
  mastodonDir: catalog.mastodonDir,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
  answers: catalog.answers,
  sandbox: { ...catalog.sandbox, help: rehearsedHelp },
  dryRun: {
    ...catalog.dryRun,
    help: 'with --fix: show the plan and change nothing',
    group: own.fix.group,
  },
  yes: {
    ...catalog.yes,
    help: 'with --fix: agree to the plan; nothing destructive is ever part of it',
    group: own.fix.group,
  },
  json: catalog.json,
  quiet: { ...catalog.quiet, help: 'only faults; nothing at all while there is none' },
  verbose: { ...catalog.verbose, help: 'what every check saw, and every request' },
  timings: catalog.timings,
  logFile: catalog.logFile,
  noColor: catalog.noColor,
  cloudflareApiUrl: catalog.cloudflareApiUrl,
  s3EndpointUrl: { ...catalog.s3EndpointUrl, help: 'another S3 endpoint than the env file names' },
  connectTo: catalog.connectTo,
} as const

export type CheckCatalog = typeof checkCatalog

declare module '../core/to-type.ts' {
  interface CommandFlags {
    check: FlagsOf<typeof checkFlags>
  }
}
