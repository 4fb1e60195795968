import type { Secret } from '../../core/secret.ts'
import type { RulesPort } from './rules-port.ts'
import type { SlurperPort } from './slurper-port.ts'

/**
 * What the tool needs of Cloudflare, named by need. "Not there" is `undefined`; every refusal is a
 * Problem whose code is `cloudflare-<number>` or one of `cloudflare-unreachable` (nothing reached
 * Cloudflare), `cloudflare-answer-lost` (a change was sent, its answer never came).
 */
export interface CloudflarePort extends RulesPort {
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
  /** `exists` when someone (or a lost answer) was faster: the caller looks again. */
  createBucket(at: BucketRef, location?: LocationHint): Promise<'created' | 'exists'>
  /** Whether any object is in the bucket; undefined when the token may not look. */
  hasObjects(at: BucketRef): Promise<boolean | undefined>
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

  readonly slurper: SlurperPort
}

export type Jurisdiction = 'default' | 'eu' | 'us' | 'fedramp' | 'fedramp-high'
export type LocationHint = 'apac' | 'eeur' | 'enam' | 'weur' | 'wnam' | 'oc'
export type TokenKind = 'account' | 'user'

/** The permissions that the tool can use, as the dashboard names them in `permissionNames`. */
export type Permission = 'r2' | 'account-tokens' | 'user-tokens' | 'zone' | 'dns' | RulePermission

/** What rules, redirect lists and cache switches need; the setup does without. */
export type RulePermission =
  | 'single-redirects'
  | 'response-headers'
  | 'cache-rules'
  | 'custom-rules'
  | 'bulk-redirects'
  | 'redirect-lists'
  | 'zone-settings'

export const permissionNames: Record<Permission, string> = {
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
}

export interface MintedKey {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly issuedOn?: string
  readonly expiresOn?: string
  readonly limits?: KeyLimits
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
