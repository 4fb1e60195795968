import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { stream } from '../../../src/services/process/stream.ts'
import { aclSent } from '../../../src/services/rclone/acl.ts'
import { connectRclone } from '../../../src/services/rclone/client.ts'
import type { BucketPlace } from '../../../src/services/rclone/port.ts'
import { scratch, write } from '../mastodon/scratch.ts'

describe('what a release sends where no ACL is told', () => {
  it.each<[string, string | undefined, string, string | undefined]>([
    ['an older one', '1.60.1', 'Other', 'private'],
    ['to Amazon', '1.59.0', 'AWS', 'bucket-owner-full-control'],
    ['one that tells no version', undefined, 'AWS', 'bucket-owner-full-control'],
    ['a newer one', '1.61.0', 'AWS', undefined],
    ['a much newer one', '2.0', 'Other', undefined],
  ])('%s', (_, version, provider, acl) => {
    expect(aclSent({ provider }, version)).toBe(acl)
    expect(aclSent({ provider, acl: 'public-read' }, version)).toBe('public-read')
  })
})

describe('the rclone of this machine sends what is told of it', () => {
  /** Stands before every host, takes every upload and notes its headers. */
  async function withProxy(work: (proxy: string, puts: IncomingHttpHeaders[]) => Promise<void>) {
    const puts: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'PUT') puts.push(request.headers)
        response.writeHead(request.method === 'PUT' ? 200 : 404, { etag: '"0"' }).end()
      })
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, puts)
    } finally {
      server.close()
    }
  }

  it.each<[string, Partial<BucketPlace>]>([
    ['no ACL, on Amazon', { provider: 'AWS' }],
    ['no ACL, elsewhere', { provider: 'Other' }],
    ['an ACL', { provider: 'Wasabi', acl: 'public-read' }],
    ['the ACL of what nobody else may see', { provider: 'AWS', acl: 'private' }],
    ['a storage class', { provider: 'Other', acl: 'public-read', storageClass: 'ONEZONE_IA' }],
  ])('%s', async (_, more) => {
    const path = scratch()
    write(path, { 'a.png': 'picture' })
    await withProxy(async (proxy, puts) => {
      const key = { accessKeyId: 'id', secretAccessKey: new Secret('hush') }
      const endpoint = 'http://s3.example.net'
      const base = { kind: 'bucket', endpoint, bucket: 'next', region: 'eu-1', key } as const
      const to: BucketPlace = { ...base, provider: 'Other', ...more }
      const environment = { PATH: process.env.PATH, HTTP_PROXY: proxy }
      const rclone = connectRclone({
        stream: (command, options) => stream(command, { ...options, environment }),
      })
      const copied: string[] = []
      const listener = {
        copied: (name: string) => void copied.push(name),
        failed: (name: string, reason: string) => void copied.push(`${name}: ${reason}`),
        vanished: () => undefined,
        moving: () => undefined,
      }
      const from = { kind: 'folder', path } as const
      await rclone.copy({ from, to, keys: ['a.png'], transfers: 1 }, listener)
      expect(copied).toHaveLength(1)
      expect(puts.map((headers) => headers['x-amz-acl'])).toEqual([await rclone.acl(to)])
      expect(puts[0]?.['x-amz-storage-class']).toBe(more.storageClass)
    })
  })
})
