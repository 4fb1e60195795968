import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cancelled, Problem } from '../../src/core/problem.ts'
import { Secret } from '../../src/core/secret.ts'
import type { CloudflarePort, SlurperWish } from '../../src/services/cloudflare/port.ts'
import { bucket, devUrl, lifecycle } from '../../src/setup/bucket.ts'
import { cors } from '../../src/setup/cors.ts'
import { mediaDomain } from '../../src/setup/media-domain.ts'
import { setupOf, worldOf } from '../fakes/fake-world.ts'
import { startStub, TOKEN } from '../services/cloudflare/api-stub.ts'

const { at, mediaHost, owner, zone } = setupOf()
const scope = { accountId: at.accountId, zoneId: zone.id }
const wish = { name: 'n', at, allowIps: [] }
const id = 'e'.repeat(32)
const key = { accessKeyId: id, secretAccessKey: new Secret(TOKEN) }
const slurpWish: SlurperWish = {
  source: { vendor: 's3', bucket: 'old', key, endpoint: undefined, region: undefined },
  target: { bucket: at.bucket, jurisdiction: 'default', key },
}

/** All that is asked of Cloudflare, and the looks that judge its answers. */
const verbs: readonly ((cloudflare: CloudflarePort) => Promise<unknown>)[] = [
  (cloudflare) => cloudflare.identifyToken(at.accountId),
  (cloudflare) => cloudflare.listAccounts(),
  (cloudflare) => cloudflare.listZones(),
  (cloudflare) => cloudflare.findZone(mediaHost),
  (cloudflare) => cloudflare.listDnsRecords(zone.id, mediaHost),
  (cloudflare) => cloudflare.can('r2', scope),
  (cloudflare) => cloudflare.can('account-tokens', scope),
  (cloudflare) =>
    cloudflare.ownPermissionGroups({ id, kind: 'account', status: 'active' }, at.accountId),
  (cloudflare) => cloudflare.createBucket(at, undefined),
  (cloudflare) => cloudflare.hasObjects(at),
  (cloudflare) => cloudflare.attachCustomDomain(at, mediaHost, zone.id),
  (cloudflare) => cloudflare.listKeys(owner, ''),
  (cloudflare) => cloudflare.findKey(owner, id),
  (cloudflare) => cloudflare.mintKey(owner, wish),
  async (cloudflare) => {
    const key = await cloudflare.findKey(owner, id)
    if (key) await cloudflare.renameKey(owner, key, 'other')
  },
  (cloudflare) => cloudflare.revokeKey(owner, id),
  (cloudflare) => cloudflare.listBuckets(at.accountId, 'eu'),
  (cloudflare) => cloudflare.slurper.canRead(at.accountId, slurpWish.source),
  (cloudflare) => cloudflare.slurper.createJob(at.accountId, slurpWish),
  (cloudflare) => cloudflare.slurper.progress(at.accountId, id),
  (cloudflare) => cloudflare.slurper.failures(at.accountId, id, 60),
  ...[bucket, cors, devUrl, lifecycle, mediaDomain].flatMap((step) => [
    (cloudflare: CloudflarePort) => step.look({ ...worldOf(), cloudflare }),
    (cloudflare: CloudflarePort) =>
      step.change?.({ ...worldOf(), cloudflare }) ?? Promise.resolve(undefined),
  ]),
]

const names = [
  ...['id', 'name', 'status', 'account', 'value', 'rules', 'allowed', 'origins', 'methods'],
  ...['enabled', 'domain', 'ownership', 'ssl', 'policies', 'permission_groups', 'resources'],
  ...['conditions', 'prefix', 'abortMultipartUploadsTransition', 'location', 'type', 'content'],
  ...['source', 'target', 'bucket', 'createdAt', 'objects', 'logType', 'objectKey', 'message'],
  ...['expires_on', 'result_info', 'total_count', 'per_page', 'condition', 'request_ip', 'in'],
]
const words = ['active', 'pending', 'GET', '*', 'example.com', mediaHost, TOKEN, '', '__proto__']

/** JSON of Cloudflare's words in the wrong places. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e21, ...words),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('json'), { maxKeys: 6 }),
  ),
}))

const answers = fc.oneof(
  json.map((result) => ({ success: true, result })),
  fc.tuple(json, json).map(([result, result_info]) => ({ success: true, result, result_info })),
  fc.tuple(json, json).map(([errors, messages]) => ({ success: false, errors, messages })),
  json,
)

test('no answer is a crash, and no secret is said', { timeout: 120_000 }, async () => {
  let answer = ''
  let status = 200
  await using stub = await startStub(() => ({ status, text: answer }))
  const statuses = fc.constantFrom(200, 200, 200, 400, 403, 404, 409)
  const verb = fc.constantFrom(...verbs)
  const property = fc.asyncProperty(verb, answers, statuses, async (ask, value, code) => {
    answer = JSON.stringify(value)
    status = code
    const thrown = await ask(stub.client).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (thrown === undefined) return
    if (!(thrown instanceof Problem) && !(thrown instanceof Cancelled)) throw thrown
    const said = thrown instanceof Problem ? `${thrown.what} ${thrown.why} ${thrown.next}` : ''
    expect(said).not.toContain(TOKEN)
    expect(said).not.toMatch(/\p{Cc}(?<!\n)/u)
  })
  await fc.assert(property, { numRuns: 3000, interruptAfterTimeLimit: 60_000, seed: 11 })
})
