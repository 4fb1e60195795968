import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** The few words of DER (ITU-T X.690) that a certificate is written in. */
function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, ...parts)
}

function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, ...parts)
}

/** Big-endian, taken as positive. */
function integer(value: Buffer): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const short = first < 0 ? Buffer.from([0]) : value.subarray(first)
  const negative = ((short[0] ?? 0) & 0x80) !== 0
  return element(0x02, ...(negative ? [Buffer.from([0])] : []), short)
}

function flag(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

/** A bit string; `unused` bits at the end don't count. */
function bits(value: Buffer, unused: number): Buffer {
  return element(0x03, Buffer.from([unused]), value)
}

function bytes(value: Buffer): Buffer {
  return element(0x04, value)
}

function utf8(value: string): Buffer {
  return element(0x0c, Buffer.from(value))
}

/** Milliseconds since the epoch, before 2050. */
function time(value: number): Buffer {
  const digits = new Date(value).toISOString().replace(/[^0-9]/g, '')
  return element(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const parts = [first * 40 + second, ...rest].flatMap((part) => {
    const septets = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80)
    return septets
  })
  return element(0x06, Buffer.from(parts))
}

/** A value under a context tag, primitive. */
function tagged(tag: number, value: Buffer): Buffer {
  return element(0x80 | tag, value)
}

/** Another element inside a context tag. */
function constructed(tag: number, value: Buffer): Buffer {
  return element(0xa0 | tag, value)
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let left = length; left > 0; left >>>= 8) octets.unshift(left & 0xff)
  return [0x80 | octets.length, ...octets]
}

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

/**
 * Makes a new authority: ECDSA P-256, valid for 30 days from the day before `now` (milliseconds).
 * Structure: RFC 5280.
 */
export function createAuthority(now = Date.now()): Authority {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName('mastodon-r2 sandbox, for rehearsals only')
  const issuerId = keyId(issuer.publicKey)
  const certify = (subject: Buffer, key: KeyObject, extensions: Buffer[]): string =>
    certificate({ issuer: name, subject, key, extensions, signer: issuer.privateKey, now })
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
  readonly now: number
}

function certificate({ issuer, subject, key, extensions, signer, now }: CertificateParts): string {
  const start = now - DAY
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
