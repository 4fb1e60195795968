import { Problem } from '../core/problem.ts'
import { fewAtOnce } from '../core/streams.ts'
import { MEDIA_CACHE_CONTROL, SINGLE_REQUEST } from '../flow/mastodon-here.ts'
import { classOf } from '../plan/report-schema.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { HiddenFiles } from '../services/media/port.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { EXTRA_HOSTS, knowsExtraHosts, withExtraHost } from '../setup/media-hosts.ts'
import type { NewProvider } from '../setup/new-provider.ts'
import { bucketSource } from '../setup/old-provider.ts'
import { providerNames } from '../setup/provider-lines.ts'
import type { Destination } from './leaving.ts'

/** What Mastodon makes of media that nobody else may see (its app/models/backup.rb, suspend_account_service.rb). */
export const PRIVATE = 'private'

export interface OtherS3 {
  readonly provider: NewProvider
  readonly s3: S3Port
  readonly rclone: Pick<RclonePort, 'contentType'>
  readonly installation: Installation
  /** On R2: pages go on naming it. */
  readonly mediaHost: string
}

/** A bucket of another S3 provider. */
export function otherS3(at: OtherS3): Destination {
  const { provider, s3, rclone } = at
  const { place, acl, keeping, lines } = provider
  const kept = new Map([...lines, ...keptHost(at)])
  const needed = new Map([...kept, [SINGLE_REQUEST, 'true']])
  const over = new Set<string>()
  return {
    kind: 's3',
    it: 'the new bucket',
    name: provider.name,
    words: { fetch: 'copy', fetched: 'copied', on: 'in the new bucket' },
    source: bucketSource(s3, provider.name),
    // Without ACLs nothing can be hidden there, as on R2.
    isClosed: (key, hidden) =>
      acl !== undefined && (hidden.has(key) || classOf(key).private === true),
    closedApart: acl !== undefined && acl !== PRIVATE,
    to: (isClosed) => (isClosed ? { ...place, acl: PRIVATE } : place),
    open: async () => undefined,
    close: async () => undefined,
    free: async () => undefined,
    place: async () => [],
    async add({ key, isClosed }, body) {
      const contentType = rclone.contentType(key)
      const wish = { contentType, cacheControl: MEDIA_CACHE_CONTROL, ...keeping }
      await s3.put(key, body, isClosed ? { ...wish, acl: PRIVATE } : wish)
    },
    time: () => s3.serverTime(),
    hide: (keys) => hide(s3, keys, over),
    settle: async () => undefined,
    lines: ({ singleRequests }) => (singleRequests ? needed : kept),
    retired: providerNames.filter((name) => !lines.has(name) && name !== SINGLE_REQUEST),
    commented: (text) => text.replace(OF_R2, `# Media storage: ${provider.service}`),
  }
}

/** Of as many as Mastodon has, so that a few are under way at the same time. */
const HIDDEN_AT_ONCE = 16
/** A provider that refuses so many and takes none takes none. */
const REFUSED = 20

/** No listing tells an ACL, so it is set: once in a run, which `over` remembers. */
async function hide(s3: S3Port, keys: readonly string[], over: Set<string>): Promise<HiddenFiles> {
  const failed: { key: string; reason: string }[] = []
  let hidden = 0
  let reason = ''
  const asking = fewAtOnce(HIDDEN_AT_ONCE)
  for (const key of keys.filter((one) => !over.has(one))) {
    await asking.begin(async () => {
      if (hidden === 0 && failed.length >= REFUSED) {
        failed.push({ key, reason })
        return
      }
      try {
        await s3.putAcl(key, PRIVATE)
        over.add(key)
        hidden += 1
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        if (error.code === 's3-404') return
        reason = error.what
        failed.push({ key, reason })
      }
    })
  }
  await asking.end()
  return { hidden, failed }
}

/** What stands above the lines for R2, in templates/env-production.txt. */
const OF_R2 =
  /^# Media storage: Cloudflare R2, written by mastodon-r2(?:\r?\n# S3_PERMISSION stays here and stays empty: R2 has no ACLs)?$/m

/** Posts that a browser has open show media of the host before. */
function keptHost({ installation, mediaHost }: OtherS3): readonly [string, string][] {
  const { settings, version } = installation
  if (!knowsExtraHosts(version)) return []
  return [[EXTRA_HOSTS, withExtraHost(settings, mediaHost)]]
}
