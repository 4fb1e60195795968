import { describe, expect, it } from 'vitest'
import { remember } from '../../src/flow/mastodon-here.ts'
import { ACCOUNT, ENV, installationOf } from '../fakes/fake-world.ts'

const R2 = `https://${ACCOUNT}.r2.cloudflarestorage.com`
const [id, secret] = ['1'.repeat(32), '2'.repeat(64)]
const ours = {
  S3_ENABLED: 'true',
  S3_BUCKET: 'example-media',
  S3_ENDPOINT: R2,
  S3_ALIAS_HOST: 'files.example.com',
  AWS_ACCESS_KEY_ID: id,
  AWS_SECRET_ACCESS_KEY: secret,
}

function remembered(values: Record<string, string>, ownEndpoint?: string) {
  const settings = new Map(
    Object.entries(values).map(([name, value]) => [name, { value, from: '/live/.env' }] as const),
  )
  return remember(installationOf({ settings }), ownEndpoint)
}

describe('what the env file remembers', () => {
  it('all of our setup', () => {
    expect(remembered(ours)).toMatchObject({
      storage: 'r2',
      switchedOn: true,
      bucket: 'example-media',
      mediaHost: 'files.example.com',
      accountId: ACCOUNT,
      jurisdiction: 'default',
      key: { accessKeyId: id },
      from: '/live/.env',
    })
    expect(remembered(ours).key?.secretAccessKey.reveal()).toBe(secret)
  })

  it('nothing, and the file it would come from', () => {
    expect(remembered({})).toEqual({
      storage: 'none',
      switchedOn: false,
      bucket: undefined,
      mediaHost: undefined,
      accountId: undefined,
      jurisdiction: undefined,
      key: undefined,
      from: ENV,
    })
  })

  it.each<[string, Record<string, string>, string, boolean]>([
    ['prepared, not switched', { ...ours, S3_ENABLED: 'false' }, 'r2', false],
    ['Mastodon takes only the word true', { ...ours, S3_ENABLED: 'TRUE' }, 'r2', false],
    ['1 is not true either', { ...ours, S3_ENABLED: '1' }, 'r2', false],
    ['another provider', { ...ours, S3_ENDPOINT: 'https://s3.example.net' }, 'other', true],
    ['Amazon, without an endpoint', { S3_ENABLED: 'true', S3_BUCKET: 'x' }, 'other', true],
    ['another provider, off', { S3_ENABLED: 'false', S3_BUCKET: 'x' }, 'none', false],
    ['a look-alike', { ...ours, S3_ENDPOINT: `${R2}.example.net` }, 'other', true],
    ['a template left in', { ...ours, S3_ENDPOINT: '{{ENDPOINT}}' }, 'other', true],
  ])('%s', (_, values, storage, switchedOn) => {
    const found = remembered(values)
    expect([found.storage, found.switchedOn]).toEqual([storage, switchedOn])
    if (storage !== 'r2') {
      expect([found.bucket, found.mediaHost, found.key]).toEqual([undefined, undefined, undefined])
    }
  })

  it.each<[string, string]>([
    [`${R2}/`, 'default'],
    [`${R2}/example-media`, 'default'],
    [`https://${ACCOUNT}.eu.r2.cloudflarestorage.com`, 'eu'],
    [`https://${ACCOUNT}.fedramp-high.r2.cloudflarestorage.com`, 'fedramp-high'],
  ])('account and jurisdiction from %s', (endpoint, jurisdiction) => {
    const found = remembered({ ...ours, S3_ENDPOINT: endpoint })
    expect([found.accountId, found.jurisdiction]).toEqual([ACCOUNT, jurisdiction])
  })

  it('an endpoint of our own making counts as R2', () => {
    const values = { ...ours, S3_ENDPOINT: 'http://127.0.0.1:9/s3/' }
    expect(remembered(values, 'http://127.0.0.1:9/s3').storage).toBe('r2')
    expect(remembered(values, 'http://127.0.0.1:10/s3').storage).toBe('other')
    expect(remembered(values).storage).toBe('other')
  })

  it.each([
    ['files.example.com', 'files.example.com'],
    ['files.example.com/media', 'files.example.com'],
    ['https://files.example.com', 'files.example.com'],
    ['https://files.example.com/', 'files.example.com'],
    ['', undefined],
    ['{{host}}', undefined],
  ])('media host from S3_ALIAS_HOST=%s', (alias, host) => {
    expect(remembered({ ...ours, S3_ALIAS_HOST: alias }).mediaHost).toBe(host)
  })

  it.each([
    ['swapped', secret, id],
    ['of another provider', 'AKIAIOSFODNN7EXAMPLE', secret],
    ['half a key', id, ''],
    ['a template', id, '{{SECRET}}'],
    ['upper case', id.replace('1', 'A'), secret],
  ])('no key that can’t be R2’s: %s', (_, accessKeyId, secretAccessKey) => {
    const found = remembered({
      ...ours,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    })
    expect([found.storage, found.key]).toEqual(['r2', undefined])
  })
})
