import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthority } from '../../src/sandbox/certificate.ts'

const authority = createAuthority()
const root = new X509Certificate(authority.pem)

test.each([
  'files.example.com',
  'xn--bcher-kva.example',
  `${'a'.repeat(60)}.${'b'.repeat(60)}.example`,
])('a leaf for %s is signed by the authority and valid for that host only', (host) => {
  const { cert, key } = authority.issue(host)
  const leaf = new X509Certificate(cert)
  expect(leaf.verify(root.publicKey)).toBe(true)
  expect(leaf.checkIssued(root)).toBe(true)
  expect(leaf.checkHost(host)).toBe(host)
  expect(leaf.checkHost(`x.${host}`)).toBeUndefined()
  expect(leaf.ca).toBe(false)
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
})

test('the authority is one, of today, and never the same twice', () => {
  expect(root.ca).toBe(true)
  expect(root.verify(root.publicKey)).toBe(true)
  expect(Date.parse(root.validFrom)).toBeLessThan(Date.now())
  expect(Date.parse(root.validTo)).toBeGreaterThan(Date.now())
  const other = new X509Certificate(createAuthority().pem)
  expect(other.fingerprint256).not.toBe(root.fingerprint256)
})
