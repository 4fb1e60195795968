import type { Jurisdiction } from '../../core/jurisdictions.ts'
import type { Secret } from '../../core/secret.ts'

/**
 * Rules of a zone or an account: redirects, response headers, caching, blocking. "Nothing there yet"
 * is an empty list; refusals are Problems as in port.ts.
 */
export interface RulesPort {
  /** The phase's rules in their order, everybody's. */
  listRules(at: RulePlace, phase: RulePhase): Promise<readonly Rule[]>
  /** Makes the phase's ruleset when there is none, and puts the rule behind the others. */
  addRule(at: RulePlace, phase: RulePhase, rule: NewRule): Promise<void>
  /** The rule keeps its place. */
  changeRule(at: RulePlace, phase: RulePhase, id: string, rule: NewRule): Promise<void>
  /** Already gone is fine. */
  removeRule(at: RulePlace, phase: RulePhase, id: string): Promise<void>

  /** Redirect lists of the account. */
  listRedirectLists(accountId: string): Promise<readonly RedirectList[]>
  createRedirectList(accountId: string, name: string, description: string): Promise<RedirectList>
  listRedirects(accountId: string, listId: string): Promise<readonly Redirect[]>
  /** Waits until Cloudflare has carried it out; only one such change runs in an account. */
  addRedirects(accountId: string, listId: string, redirects: readonly NewRedirect[]): Promise<void>
  removeRedirects(accountId: string, listId: string, ids: readonly string[]): Promise<void>
  deleteRedirectList(accountId: string, listId: string): Promise<void>

  /** Smart Tiered Cache, for the whole zone: both switches on. */
  isTieredCacheOn(zoneId: string): Promise<boolean>
  setTieredCache(zoneId: string, on: boolean): Promise<void>
}

export type RulePlace =
  | { readonly kind: 'zone'; readonly zoneId: string }
  | { readonly kind: 'account'; readonly accountId: string }

export type RulePhase =
  | 'http_request_dynamic_redirect'
  | 'http_request_redirect'
  | 'http_response_headers_transform'
  | 'http_request_cache_settings'
  | 'http_request_firewall_custom'

export interface NewRule {
  /** Ours, by which the rule is found again, e.g. `mastodon-r2-system-redirect`. */
  readonly ref: string
  readonly description: string
  readonly expression: string
  readonly action: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly enabled: boolean
}

export interface Rule extends Omit<NewRule, 'ref'> {
  readonly id: string
  readonly ref: string | undefined
}

export interface RedirectList {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly items: number
}

export interface NewRedirect {
  readonly sourceUrl: string
  readonly targetUrl: string
  readonly status: 301 | 302 | 307 | 308
  readonly comment: string
}

export interface Redirect extends NewRedirect {
  readonly id: string
  readonly subpathMatching: boolean
  readonly preservePathSuffix: boolean
  readonly preserveQueryString: boolean
}

/**
 * Super Slurper, Cloudflare's own engine that copies a bucket of another provider into one of R2
 * (Cloudflare docs, r2/data-migration/super-slurper). Refusals are Problems as in port.ts.
 */
export interface SlurperPort {
  /** Can Cloudflare read the source with this key? It does not say why when it can't. */
  canRead(accountId: string, source: SlurperSource): Promise<boolean>
  /** Can it write the target with this key? */
  canWrite(accountId: string, target: SlurperTarget): Promise<boolean>
  /**
   * Starts a job that leaves alone what is there already; returns its id. Sent once: a job whose answer
   * got lost is found again among the account's jobs. Problem `slurper-too-many-jobs`.
   */
  createJob(accountId: string, wish: SlurperWish): Promise<string>
  /** Every job between these two places, whatever its prefix; ended ones too. */
  listJobs(accountId: string, between: SlurperPlaces): Promise<SlurperJob[]>
  /** Undefined when there is no such job. */
  progress(accountId: string, jobId: string): Promise<SlurperProgress | undefined>
  pause(accountId: string, jobId: string): Promise<void>
  resume(accountId: string, jobId: string): Promise<void>
  /** What is under way is finished, nothing new begun. */
  abort(accountId: string, jobId: string): Promise<void>
  /** What its log says that was not copied, in its order, at most `limit`. */
  failures(accountId: string, jobId: string, limit: number): Promise<SlurperFailure[]>
}

export type SlurperStatus = 'running' | 'paused' | 'aborted' | 'completed'

interface SlurperKey {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
}

export type SlurperSource =
  | {
      readonly vendor: 's3'
      readonly bucket: string
      readonly key: SlurperKey
      /** `https://`; undefined: AWS itself. */
      readonly endpoint: string | undefined
      readonly region: string | undefined
    }
  /** A bucket on R2, of whichever account the key is. */
  | {
      readonly vendor: 'r2'
      readonly bucket: string
      readonly key: SlurperKey
      readonly jurisdiction: Jurisdiction
    }

export interface SlurperTarget {
  readonly bucket: string
  readonly jurisdiction: Jurisdiction
  readonly key: SlurperKey
}

export interface SlurperPlaces {
  readonly source: SlurperSource
  readonly target: SlurperTarget
}

export interface SlurperWish extends SlurperPlaces {
  /** Only keys that begin so; all of them unless told. */
  readonly prefix?: string | undefined
}

export interface SlurperJob {
  readonly id: string
  readonly status: SlurperStatus
  /** RFC 3339. */
  readonly createdAt: string
  readonly from: {
    readonly bucket: string
    readonly endpoint: string | undefined
    readonly prefix: string
  }
  readonly to: { readonly bucket: string; readonly jurisdiction: string }
}

/** Counts of objects; bytes are not told. */
export interface SlurperProgress {
  readonly status: SlurperStatus
  /** Found so far at the source: it grows while the job lists it. */
  readonly objects: number
  readonly transferred: number
  /** There already, or of a kind that it does not take. */
  readonly skipped: number
  readonly failed: number
}

export interface SlurperFailure {
  /** Undefined: about the job itself. */
  readonly key: string | undefined
  readonly reason: string
  /** It was passed over by a rule of Super Slurper, not refused. */
  readonly skipped: boolean
}

/** What Cloudflare's analytics know of R2 (Account Analytics: Read). Refusals are Problems as in port.ts. */
export interface AnalyticsPort {
  /** One day (UTC, `2026-11-29`), of every bucket of the account; counts of a sample are estimates. */
  r2Day(accountId: string, day: string): Promise<R2Day>
}

export interface R2Day {
  readonly day: string
  /** There was more than one answer holds: what is told is too little. */
  readonly isCutOff: boolean
  readonly operations: readonly {
    /** `eu_media` for a bucket `media` of a jurisdiction; empty for what is about no bucket. */
    readonly bucket: string
    readonly action: string
    /** HTTP status; 0 where none was told. */
    readonly status: number
    readonly requests: number
  }[]
  /** The peak of the day. */
  readonly storage: readonly {
    readonly bucket: string
    readonly objects: number
    readonly bytes: number
  }[]
}

/**
 * What the tool needs of Cloudflare, named by need. "Not there" is `undefined`; every refusal is a
 * Problem whose code is `cloudflare-<number>` or one of `cloudflare-unreachable` (nothing reached
 * Cloudflare), `cloudflare-answer-lost` (a change was sent, its answer never came).
 */
export interface CloudflarePort extends RulesPort {
  /** What the form of the token tells of whose it is; asks nothing of Cloudflare. */
  kindByForm(): Promise<TokenKind | undefined>
  /** GET /user/tokens/verify, then /accounts/{id}/tokens/verify for an account-owned token. */
  identifyToken(accountId?: string): Promise<BootstrapToken>
  /** Accounts that the token sees: GET /accounts, else the accounts of its zones. */
  listAccounts(): Promise<Account[]>
  /** Every zone that the token sees, of one account or of all. */
  listZones(accountId?: string): Promise<Zone[]>
  /** The zone of a hostname: the whole host first, then without its leftmost label, and so on. */
  findZone(host: string): Promise<Zone | undefined>
  /** Can the token do this? Asked with the cheapest read that the permission covers. */
  can(permission: Permission, at: PermissionScope): Promise<boolean>
  /** Permission group names of the bootstrap token itself; undefined where it may not read them. */
  ownPermissionGroups(token: BootstrapToken, accountId: string): Promise<string[] | undefined>
  listDnsRecords(zoneId: string, name: string): Promise<DnsRecord[]>

  findBucket(at: BucketRef): Promise<Bucket | undefined>
  /** Names of every bucket of the account in that jurisdiction, in their order. */
  listBuckets(accountId: string, jurisdiction: Jurisdiction): Promise<string[]>
  /** `exists` when someone (or a lost answer) was faster: the caller looks again. */
  createBucket(at: BucketRef, location?: LocationHint): Promise<'created' | 'exists'>
  /**
   * Whether any object is in the bucket; `tests`: none but test files that a killed run of this program
   * has left; undefined when the token may not look.
   */
  hasObjects(at: BucketRef): Promise<boolean | 'tests' | undefined>
  /** Only an empty bucket goes; one that holds objects is `cloudflare-10008`. Already gone is fine. */
  deleteBucket(at: BucketRef): Promise<void>

  findCustomDomain(at: BucketRef, host: string): Promise<CustomDomain | undefined>
  attachCustomDomain(at: BucketRef, host: string, zoneId: string): Promise<void>
  enableCustomDomain(at: BucketRef, host: string): Promise<void>
  /** Host names of every custom domain of the bucket. */
  listCustomDomains(at: BucketRef): Promise<string[]>
  /** Takes the domain off the bucket, and its CNAME out of the zone. Already gone is fine. */
  detachCustomDomain(at: BucketRef, host: string): Promise<void>
  isDevUrlEnabled(at: BucketRef): Promise<boolean>
  disableDevUrl(at: BucketRef): Promise<void>

  getCors(at: BucketRef): Promise<CorsRule[]>
  /** Replaces all rules: callers send back what was there. */
  putCors(at: BucketRef, rules: CorsRule[]): Promise<void>
  /** Removes the whole CORS configuration. Already gone is fine. */
  deleteCors(at: BucketRef): Promise<void>
  getLifecycle(at: BucketRef): Promise<LifecycleRule[]>
  /** Replaces all rules: callers send back what was there. */
  putLifecycle(at: BucketRef, rules: LifecycleRule[]): Promise<void>

  /** Every API token of that owner whose name begins so; expired ones included. */
  listKeys(owner: KeyOwner, namePrefix: string): Promise<MintedKey[]>
  /** One API token by id; undefined when it does not exist or may not be seen. */
  findKey(owner: KeyOwner, id: string): Promise<MintedKey | undefined>
  /** Mints a bucket-scoped token. Sent once, never retried: a retry could leave a second token. */
  mintKey(owner: KeyOwner, wish: KeyWish): Promise<NewKey>
  /** The same token under another name; its value stays. */
  renameKey(owner: KeyOwner, key: MintedKey, name: string): Promise<void>
  /** It opens nothing any more, and could be made active again; all else stays. */
  disableKey(owner: KeyOwner, key: MintedKey): Promise<void>
  /** Already gone is fine. */
  revokeKey(owner: KeyOwner, id: string): Promise<void>

  /** Takes addresses out of the zone's cache: the copies for pages of `origin`, or those for none. */
  purgeUrls(zoneId: string, urls: readonly string[], origin?: string): Promise<void>
  /** Takes out all that begins so, e.g. `files.example.com/folder/`. */
  purgePrefixes(zoneId: string, prefixes: readonly string[]): Promise<void>

  readonly slurper: SlurperPort
  readonly analytics: AnalyticsPort
}

export type LocationHint = 'apac' | 'eeur' | 'enam' | 'weur' | 'wnam' | 'oc'
export type TokenKind = 'account' | 'user'

/** The permissions that the tool can use, as the dashboard names them in `permissionNames`. */
export type Permission = 'r2' | 'account-tokens' | 'user-tokens' | 'zone' | 'dns' | RulePermission

/** Those that can't be asked for without using them. */
export type LatePermission = 'analytics' | 'cache-purge'

/** What rules, redirect lists and cache switches need; the setup does without. */
export type RulePermission =
  | 'single-redirects'
  | 'response-headers'
  | 'cache-rules'
  | 'custom-rules'
  | 'bulk-redirects'
  | 'redirect-lists'
  | 'zone-settings'

export const permissionNames: Record<Permission | LatePermission, string> = {
  r2: 'Workers R2 Storage: Edit',
  'account-tokens': 'Account API Tokens: Edit',
  'user-tokens': 'API Tokens: Edit (user)',
  zone: 'Zone: Read',
  dns: 'DNS: Read',
  'single-redirects': 'Single Redirect: Edit',
  'response-headers': 'Transform Rules: Edit',
  'cache-rules': 'Cache Rules: Edit',
  'custom-rules': 'Zone WAF: Edit',
  'bulk-redirects': 'Account Rulesets: Edit',
  'redirect-lists': 'Account Filter Lists: Edit',
  'zone-settings': 'Zone Settings: Edit',
  analytics: 'Account Analytics: Read',
  'cache-purge': 'Cache Purge: Purge',
}

export interface PermissionScope {
  readonly accountId: string
  readonly zoneId?: string
}

export interface BootstrapToken {
  readonly id: string
  readonly kind: TokenKind
  readonly status: 'active' | 'disabled' | 'expired'
  /** RFC 3339. */
  readonly expiresOn?: string
}

export interface Account {
  readonly id: string
  readonly name: string
}

export interface Zone {
  readonly id: string
  readonly name: string
  readonly status: string
  /** `full` when Cloudflare is the zone's DNS; `partial` for a CNAME setup. */
  readonly type: string
  readonly paused: boolean
  readonly account: Account
}

export interface DnsRecord {
  readonly type: string
  readonly name: string
  readonly content: string
  readonly proxied: boolean
}

export interface BucketRef {
  readonly accountId: string
  readonly bucket: string
  readonly jurisdiction: Jurisdiction
}

export interface Bucket {
  readonly name: string
  readonly location?: string
  readonly createdOn?: string
}

export interface CustomDomain {
  readonly host: string
  readonly enabled: boolean
  /** pending, active, deactivated, blocked, error, unknown. Both unknown: a passing failure. */
  readonly ownership: string
  /** initializing, pending, active, deactivated, error, unknown. */
  readonly ssl: string
}

export interface CorsRule {
  readonly id?: string
  readonly allowed: {
    readonly origins: readonly string[]
    readonly methods: readonly ('GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD')[]
    readonly headers?: readonly string[]
  }
  readonly exposeHeaders?: readonly string[]
  /** Seconds. */
  readonly maxAgeSeconds?: number
}

/** A lifecycle rule as Cloudflare gave it; only the named fields are read, all are sent back. */
export interface LifecycleRule {
  readonly id: string
  readonly enabled: boolean
  readonly conditions: { readonly prefix?: string }
  readonly abortMultipartUploadsTransition?: {
    /** maxAge in seconds. */
    readonly condition?: { readonly type: 'Age'; readonly maxAge: number }
  }
  readonly [other: string]: unknown
}

/** Who owns the minted key: the account (survives people leaving) or the user of the token. */
export type KeyOwner =
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'user' }

export interface KeyWish {
  /** At most 120 characters. */
  readonly name: string
  readonly at: BucketRef
  /** CIDR ranges that may use the key; empty: any address. */
  readonly allowIps: readonly string[]
  /** CIDR ranges that may not. */
  readonly refuseIps?: readonly string[]
  /** RFC 3339 without milliseconds. */
  readonly expiresOn?: string
}

export interface NewKey {
  /** The API token's id = the S3 access key id. */
  readonly id: string
  /** SHA-256 of the token's value, hex = the S3 secret access key. */
  readonly secretAccessKey: Secret
  /** The token as it was made, without its value; undefined where the answer did not describe it. */
  readonly made: MintedKey | undefined
}

export interface MintedKey {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly issuedOn?: string
  readonly expiresOn?: string
  readonly limits?: KeyLimits
  /** Names of its permission groups; undefined where one was not told. */
  readonly groups?: readonly string[] | undefined
  /** The token's own description, sent back unchanged when it is renamed or disabled. */
  readonly raw: unknown
}

export interface KeyLimits {
  /** The one bucket that it opens; undefined when it opens more, or something else. */
  readonly only: BucketRef | undefined
  /** CIDR ranges; empty: any address. */
  readonly allowIps: readonly string[]
  readonly refuseIps: readonly string[]
}

/** One call as `--verbose` shows it. */
export interface ApiCall {
  readonly method: string
  /** Path and query, never a secret. */
  readonly path: string
  readonly status: number | 'failed'
  readonly ms: number
  readonly rayId?: string
}
