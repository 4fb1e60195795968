import { Problem } from '../../src/core/problem.ts'
import { Secret } from '../../src/core/secret.ts'
import type {
  Account,
  Bucket,
  BucketRef,
  CloudflarePort,
  CorsRule,
  CustomDomain,
  DnsRecord,
  KeyOwner,
  KeyWish,
  LifecycleRule,
  LocationHint,
  MintedKey,
  Permission,
  R2Day,
  TokenKind,
  Zone,
} from '../../src/services/cloudflare/port.ts'
import { FakeRules } from './fake-rules.ts'
import { FakeSlurper } from './fake-slurper.ts'

export const refusal = (code: string) =>
  new Problem({ code, what: `${code}.`, why: 'Refused.', next: 'Look at it.' })

/** An account in memory. Everything that changes it is written down in `writes`. */
export class FakeCloudflare extends FakeRules implements CloudflarePort {
  readonly slurper = new FakeSlurper()
  /** What the analytics know, by day; a Problem where they may not be read. */
  days: Record<string, R2Day> | Problem = {}
  readonly analytics = {
    r2Day: async (_: string, day: string): Promise<R2Day> => {
      if (this.days instanceof Problem) throw this.days
      return this.days[day] ?? { day, isCutOff: false, operations: [], storage: [] }
    },
  }
  accounts: Account[] = []
  zones: Zone[] = []
  bucket: Bucket | undefined
  filled: boolean | 'tests' | undefined = false
  dns: DnsRecord[] = []
  /** What each look at the custom domain finds, in order; the last one stays. */
  domains: (CustomDomain | undefined)[] = [undefined]
  devUrl = false
  cors: CorsRule[] = []
  lifecycle: LifecycleRule[] = []
  keys: MintedKey[] = []
  readonly wishes: KeyWish[] = []
  /** How many of the next mints make a key whose answer gets lost. */
  lostAnswers = 0
  /** Whether the answer to a mint describes the key. */
  tellsMade = true
  mintRefusal: Problem | undefined
  denied: Permission[] = []
  groups: string[] | undefined

  async kindByForm(): Promise<TokenKind | undefined> {
    return undefined
  }

  async purgeUrls(zoneId: string, urls: readonly string[], origin?: string) {
    this.writes.push(['purge', zoneId, ...urls, origin].filter((part) => part).join(' '))
  }

  async purgePrefixes(zoneId: string, prefixes: readonly string[]) {
    this.writes.push(['purge below', zoneId, ...prefixes].join(' '))
  }

  async identifyToken() {
    return { id: 'b'.repeat(32), kind: 'account' as const, status: 'active' as const }
  }

  async listAccounts() {
    return this.accounts
  }

  async listZones() {
    return this.zones
  }

  async findZone(host: string) {
    return this.zones.find(({ name }) => host === name || host.endsWith(`.${name}`))
  }

  async can(permission: Permission) {
    return !this.denied.includes(permission)
  }

  async ownPermissionGroups() {
    return this.groups
  }

  async listDnsRecords(_: string, name: string) {
    return this.dns.filter((record) => record.name === name)
  }

  /** A jurisdiction that has a bucket of the same name. */
  elsewhere: string | undefined

  async findBucket(_?: BucketRef): Promise<Bucket | undefined> {
    return this.bucket
  }

  /** Buckets of the account by jurisdiction; a Problem where they may not be seen. */
  others: Partial<Record<string, string[] | Problem>> = {}
  /** `jurisdiction/bucket` that has the host attached which is asked for. */
  attachedTo: string | undefined

  async listBuckets(_: string, jurisdiction: string) {
    if (jurisdiction === this.elsewhere) return ['example-media']
    const there = this.others[jurisdiction] ?? []
    if (there instanceof Problem) throw there
    return there
  }

  async createBucket(at: BucketRef, location?: LocationHint) {
    this.writes.push(`create ${at.bucket} ${at.jurisdiction} ${location ?? 'anywhere'}`)
    this.bucket = { name: at.bucket }
    return 'created' as const
  }

  async hasObjects() {
    return this.filled
  }

  async deleteBucket(at: BucketRef) {
    this.writes.push(`delete ${at.bucket}`)
    this.bucket = undefined
  }

  async findCustomDomain(at?: BucketRef): Promise<CustomDomain | undefined> {
    const others = this.others[at?.jurisdiction ?? '']
    if (at && Array.isArray(others) && others.includes(at.bucket)) {
      const isThere = this.attachedTo === `${at.jurisdiction}/${at.bucket}`
      const host = 'files.example.com'
      return isThere ? { host, enabled: true, ownership: 'active', ssl: 'active' } : undefined
    }
    if (at?.jurisdiction === this.elsewhere) return undefined
    return this.domains.length > 1 ? this.domains.shift() : this.domains[0]
  }

  async attachCustomDomain(_: BucketRef, host: string, zoneId: string) {
    this.writes.push(`attach ${host} ${zoneId}`)
  }

  async enableCustomDomain(_: BucketRef, host: string) {
    this.writes.push(`enable ${host}`)
  }

  async listCustomDomains() {
    return this.domains.slice(0, 1).flatMap((domain) => domain?.host ?? [])
  }

  async detachCustomDomain(_: BucketRef, host: string) {
    this.writes.push(`detach ${host}`)
    this.domains = this.domains.length > 1 ? this.domains.slice(1) : [undefined]
  }

  async isDevUrlEnabled() {
    return this.devUrl
  }

  async disableDevUrl() {
    this.writes.push('disable r2.dev')
    this.devUrl = false
  }

  async getCors() {
    return this.cors
  }

  async putCors(_: BucketRef, rules: CorsRule[]) {
    this.writes.push('put cors')
    this.cors = rules
  }

  async deleteCors() {
    this.writes.push('delete cors')
    this.cors = []
  }

  async getLifecycle() {
    return this.lifecycle
  }

  async putLifecycle(_: BucketRef, rules: LifecycleRule[]) {
    this.writes.push('put lifecycle')
    this.lifecycle = rules
  }

  async listKeys(_: KeyOwner, namePrefix: string) {
    return this.keys.filter(({ name }) => name.startsWith(namePrefix))
  }

  async findKey(_: KeyOwner, id: string) {
    return this.keys.find((key) => key.id === id)
  }

  async mintKey(_: KeyOwner, wish: KeyWish) {
    if (this.mintRefusal) throw this.mintRefusal
    this.wishes.push(wish)
    const id = String(this.wishes.length).padStart(32, 'f')
    this.writes.push(`mint ${id}`)
    this.keys.push({ id, name: wish.name, status: 'active', raw: undefined })
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1
      throw refusal('cloudflare-answer-lost')
    }
    const made = this.tellsMade ? this.keys.at(-1) : undefined
    return { id, secretAccessKey: new Secret('5'.repeat(64)), made }
  }

  async renameKey(_: KeyOwner, key: MintedKey, name: string) {
    this.writes.push(`rename ${key.id}`)
    this.keys = this.keys.map((other) => (other.id === key.id ? { ...other, name } : other))
  }

  async disableKey(_: KeyOwner, key: MintedKey) {
    this.writes.push(`disable ${key.id}`)
    this.keys = this.keys.map((other) =>
      other.id === key.id ? { ...other, status: 'disabled' } : other,
    )
  }

  async revokeKey(_: KeyOwner, id: string) {
    this.writes.push(`revoke ${id}`)
    this.keys = this.keys.filter((key) => key.id !== id)
  }
}
