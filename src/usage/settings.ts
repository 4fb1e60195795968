import { catalog } from '../settings/catalog.ts'
import type { FlagsOf } from '../settings/setting.ts'

/** The settings of `usage`: what finds the bucket, and Cloudflare's analytics. */
export const usageFlags = {
  accountId: catalog.accountId,
  apiToken: {
    ...catalog.apiToken,
    help: "file with a Cloudflare API token (- reads standard input) that may read the account's analytics; without one the requests are not known",
  },
  mastodonDir: catalog.mastodonDir,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
  answers: catalog.answers,
  json: catalog.json,
  quiet: catalog.quiet,
  verbose: catalog.verbose,
  timings: catalog.timings,
  noColor: catalog.noColor,
  cloudflareApiUrl: catalog.cloudflareApiUrl,
  s3EndpointUrl: { ...catalog.s3EndpointUrl, help: 'another S3 endpoint than the env file names' },
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    usage: FlagsOf<typeof usageFlags>
  }
}
