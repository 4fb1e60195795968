import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import {
  bits,
  bytes,
  constructed,
  flag,
  integer,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

/** A certificate authority that lives as long as the sandbox; its key never leaves memory. */
export interface Authority {
  /** Its own certificate, for NODE_EXTRA_CA_CERTS or curl's --cacert. */
  readonly pem: string
  /** Key and certificate of a host, for a TLS server; made on each call. */
  issue(host: string): { readonly key: string; readonly cert: string }
}

const DAY = 24 * 3600 * 1000
const VALID_DAYS = 30
const EC_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

/** Makes a new authority: ECDSA P-256, valid for 30 days from yesterday. Structure: RFC 5280. */
export function createAuthority(): Authority {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName('mastodon-r2 sandbox, for rehearsals only')
  const issuerId = keyId(issuer.publicKey)
  const certify = (subject: Buffer, key: KeyObject, extensions: Buffer[]): string =>
    certificate({ issuer: name, subject, key, extensions, signer: issuer.privateKey })
  return {
    pem: certify(name, issuer.publicKey, [
      extension('2.5.29.19', true, sequence(flag(true))),
      // keyCertSign and cRLSign
      extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)),
      extension('2.5.29.14', false, bytes(issuerId)),
    ]),
    issue(host) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const cert = certify(distinguishedName(host), pair.publicKey, [
        extension('2.5.29.19', true, sequence()),
        // digitalSignature
        extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
        // serverAuth
        extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
        extension('2.5.29.17', false, sequence(tagged(2, Buffer.from(host, 'latin1')))),
        extension('2.5.29.14', false, bytes(keyId(pair.publicKey))),
        extension('2.5.29.35', false, sequence(tagged(0, issuerId))),
      ])
      return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
    },
  }
}

interface CertificateParts {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly key: KeyObject
  readonly extensions: readonly Buffer[]
  readonly signer: KeyObject
}

function certificate({ issuer, subject, key, extensions, signer }: CertificateParts): string {
  const start = Date.now() - DAY
  const body = sequence(
    constructed(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    EC_SHA256,
    issuer,
    sequence(time(start), time(start + VALID_DAYS * DAY)),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    constructed(3, sequence(...extensions)),
  )
  const der = sequence(body, EC_SHA256, bits(sign('sha256', body, signer), 0))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** commonName holds 64 characters at most; the host that counts is in subjectAltName. */
function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName.slice(0, 64)))))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [flag(true)] : []), bytes(value))
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}
