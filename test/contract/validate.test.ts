import { describe, expect, it } from 'vitest'
import { contractAvailable, contractRequired } from './openapi.ts'
import { checkRequest, checkResponse } from './validate.ts'

const runs = contractAvailable || contractRequired
const account = '0123456789abcdef0123456789abcdef'
const buckets = `/accounts/${account}/r2/buckets`
const tokens = `/accounts/${account}/tokens`
const bearer = { authorization: 'Bearer x' }
const json = { ...bearer, 'content-type': 'application/json' }
const policy = { effect: 'allow', permission_groups: [{ id: 'x' }], resources: { x: '*' } }
const cors = { rules: [{ allowed: { origins: ['*'], methods: ['GET'] } }] }
const s3Cors = { rules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'] }] }
const envelope = { success: true, errors: [], messages: [] }

type Headers = Record<string, string>

describe.skipIf(!runs)(runs ? 'contract' : 'contract (skipped: no cloudflare-openapi.json)', () => {
  it.each<[string, string, string, Record<string, string>, Headers, unknown]>([
    ['a plain look', 'GET', buckets, {}, bearer, undefined],
    ['with the prefix of the base URL', 'GET', `/client/v4${buckets}`, {}, bearer, undefined],
    ['a query of the right type', 'GET', '/zones', { per_page: '50' }, bearer, undefined],
    ['a dotted query', 'GET', '/zones', { 'account.id': account }, bearer, undefined],
    [
      'a newer jurisdiction',
      'GET',
      buckets,
      {},
      { ...bearer, 'cf-r2-jurisdiction': 'us' },
      undefined,
    ],
    ['a body', 'POST', buckets, {}, json, { name: 'media' }],
    [
      'a policy without its read-only id',
      'POST',
      tokens,
      {},
      json,
      { name: 'k', policies: [policy] },
    ],
    ['CORS rules', 'PUT', `${buckets}/media/cors`, {}, json, cors],
  ])('lets pass: %s', (_, method, path, query, headers, body) => {
    expect(checkRequest(method, path, query, headers, body)).toEqual([])
  })

  it.each<[string, RegExp, string, string, Record<string, string>, Headers, unknown]>([
    ['a path', /is unknown/, 'GET', '/accountz', {}, bearer, undefined],
    ['a method', /is unknown/, 'PATCH', '/accounts', {}, bearer, undefined],
    [
      'a query name',
      /query perpage is unknown/,
      'GET',
      '/zones',
      { perpage: '9' },
      bearer,
      undefined,
    ],
    ['a query value', /per_page .*<= 50/, 'GET', '/zones', { per_page: '99' }, bearer, undefined],
    ['a query type', /per_page .*number/, 'GET', '/zones', { per_page: 'all' }, bearer, undefined],
    ['an account id', /account_id/, 'GET', '/accounts/12/tokens', {}, bearer, undefined],
    [
      'a jurisdiction',
      /cf-r2/,
      'GET',
      buckets,
      {},
      { ...bearer, 'cf-r2-jurisdiction': 'uk' },
      undefined,
    ],
    ['no token', /bearer/, 'GET', buckets, {}, {}, undefined],
    [
      'a second credential',
      /x-auth-key/,
      'GET',
      buckets,
      {},
      { ...bearer, 'X-Auth-Key': 'k' },
      undefined,
    ],
    ['no body', /body is missing/, 'POST', buckets, {}, json, undefined],
    ['a body too many', /not described/, 'GET', buckets, {}, json, {}],
    ['no content type', /content-type/, 'POST', buckets, {}, bearer, { name: 'media' }],
    ['a missing name', /required property 'name'/, 'POST', buckets, {}, json, {}],
    ['an unknown name', /additional/, 'POST', buckets, {}, json, { name: 'media', place: 'weur' }],
    ['a wrong type', /string/, 'POST', buckets, {}, json, { name: 7 }],
    ['CORS rules of S3', /allowed/, 'PUT', `${buckets}/media/cors`, {}, json, s3Cors],
  ])('finds fault with %s', (_, fault, method, path, query, headers, body) => {
    expect(checkRequest(method, path, query, headers, body).join('\n')).toMatch(fault)
  })

  it.each<[string, string[] | RegExp, string, number, unknown]>([
    ['a success', [], buckets, 200, { ...envelope, result: { buckets: [{ name: 'media' }] } }],
    ['no result', /result/, buckets, 200, envelope],
    [
      'a bad name',
      /NOT have fewer/,
      buckets,
      200,
      { ...envelope, result: { buckets: [{ name: 'm' }] } },
    ],
    [
      'a name too many',
      /additional/,
      buckets,
      200,
      { ...envelope, result: { buckets: [{ id: 1 }] } },
    ],
    [
      'a refusal',
      [],
      buckets,
      403,
      { ...envelope, success: false, errors: [{ code: 10042, message: 'no' }], result: null },
    ],
    ['a refusal that says success', /success/, buckets, 403, { ...envelope, result: null }],
    ['an unknown status', /not described/, buckets, 302, {}],
  ])('answers: %s', (_, expected, path, status, body) => {
    const problems = checkResponse('GET', path, status, body)
    if (expected instanceof RegExp) expect(problems.join('\n')).toMatch(expected)
    else expect(problems).toEqual(expected)
  })
})
