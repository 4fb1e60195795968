import { describe, expect, it } from 'vitest'
import { migrateCatalog } from '../../src/migrate/settings.ts'
import { connectTo } from '../../src/settings/names.ts'
import * as rules from '../../src/settings/setting.ts'
import * as z from '../../src/settings/zod.ts'

const message = (rule: rules.Rule<unknown>, value: unknown) =>
  rule(z).safeParse(value).error?.issues[0]?.message

describe('values that are taken', () => {
  it.each<[string, rules.Rule<unknown>, unknown, unknown]>([
    ['account id', rules.cloudflareId, 'a'.repeat(32), 'a'.repeat(32)],
    ['IPv4 range', rules.cidrs, ['203.0.113.0/24'], ['203.0.113.0/24']],
    ['IPv6 address', rules.cidrs, ['2001:db8::1'], ['2001:db8::1']],
    ['any origin', rules.origins, ['*'], ['*']],
    ['origin with port', rules.origins, ['https://a.example:8443'], ['https://a.example:8443']],
    ['day', rules.expiry, '2027-06-30', '2027-06-30T23:59:59Z'],
    [
      'time loses its milliseconds',
      rules.expiry,
      '2027-06-30T10:00:00.123Z',
      '2027-06-30T10:00:00Z',
    ],
    ['time with offset', rules.expiry, '2027-06-30T10:00:00+02:00', '2027-06-30T08:00:00Z'],
    ['seconds', rules.duration, '90s', 90_000],
    ['minutes', rules.duration, '15m', 900_000],
    ['rate', migrateCatalog.bwlimit.rule, '1.5m', '1.5m'],
    ['rate of both ways', migrateCatalog.bwlimit.rule, '8M:512K', '8M:512K'],
    [
      'endpoint loses its last slash',
      rules.endpointUrl,
      'http://127.0.0.1:9000/',
      'http://127.0.0.1:9000',
    ],
    [
      'route',
      connectTo,
      ['::127.0.0.1:8443'],
      [{ host: '', port: '', toHost: '127.0.0.1', toPort: '8443' }],
    ],
    [
      'route of one host',
      connectTo,
      ['a.example:443:[::1]:8443'],
      [{ host: 'a.example', port: '443', toHost: '::1', toPort: '8443' }],
    ],
  ])('%s', (_, rule, value, expected) => {
    expect(rule(z).parse(value)).toEqual(expected)
  })
})

describe('values that are refused, and why', () => {
  it.each<[string, rules.Rule<unknown>, unknown, string]>([
    ['account id too short', rules.cloudflareId, 'abc', '32 characters'],
    ['account id in upper case', rules.cloudflareId, 'A'.repeat(32), '32 characters'],
    ['range too wide', rules.cidrs, ['203.0.113.0/33'], 'not an address'],
    ['range of a name', rules.cidrs, ['example.com'], 'not an address'],
    ['two slashes', rules.cidrs, ['203.0.113.0/24/24'], 'not an address'],
    ['origin with path', rules.origins, ['https://a.example/'], 'no path'],
    ['origin without scheme', rules.origins, ['a.example'], 'not an origin'],
    ['30 February', rules.expiry, '2027-02-30', 'not a date'],
    ['a word', rules.expiry, 'tomorrow', 'not a date'],
    ['a rate without a unit', migrateCatalog.bwlimit.rule, '1000000', 'is not a rate'],
    ['a rate of nothing', migrateCatalog.bwlimit.rule, '0.0M:8M', 'is not a rate'],
    ['a number as time', rules.duration, '15', 'not a time'],
    ['days', rules.duration, '1d', 'not a time'],
    ['endpoint with the bucket in it', rules.endpointUrl, 'https://a.example/bucket', 'no path'],
    ['a key before the host', rules.endpointUrl, 'https://key:pw@a.example', 'no name or password'],
    ['ftp', rules.webUrl, 'ftp://a.example', 'http or https'],
    ['not an address', rules.webUrl, 'a.example', 'http or https'],
    ['route with too little', connectTo, ['127.0.0.1:8443'], 'HOST:PORT:ADDR:PORT'],
    ['another choice', rules.oneOf(['eu', 'us']), 'asia', 'must be one of eu, us'],
  ])('%s', (_, rule, value, words) => {
    expect(message(rule, value)).toContain(words)
  })
})

describe('API tokens', () => {
  const good = `cfat_${'a1B2-_'.repeat(8)}`

  it('is wrapped, whatever white space came with it', () => {
    expect(rules.apiToken(z).parse(` ${good}\n`).reveal()).toBe(good)
  })

  it.each([
    ['', 'empty'],
    [`Bearer ${good}`, 'paste the token alone'],
    [`${good} ${good}`, 'space'],
    [`"${'a'.repeat(40)}"`, 'in quotes'],
    [`'${'a'.repeat(40)}'`, 'in quotes'],
    [`CLOUDFLARE_API_TOKEN=${'a'.repeat(40)}`, 'a name and ='],
    [`cfk_${'a'.repeat(40)}`, 'Global API Key'],
    [`${'0123456789abcdef'.repeat(2)}abcde`, 'Global API Key'],
    ['0123456789abcdef'.repeat(4), 'S3 secret access key'],
    ['0123456789abcdef'.repeat(2), 'is an id'],
    ['short', 'does not look like'],
    [`cfat_${'ü'.repeat(40)}`, 'does not look like'],
  ])('%# is refused without being repeated', (value, words) => {
    const said = message(rules.apiToken, value)
    expect(said).toContain(words)
    if (value.length > 5) expect(said).not.toContain(value)
  })
})
