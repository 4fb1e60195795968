/** The few words of DER (ITU-T X.690) that a certificate is written in. */
export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, ...parts)
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, ...parts)
}

/** Big-endian, taken as positive. */
export function integer(value: Buffer): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const short = first < 0 ? Buffer.from([0]) : value.subarray(first)
  const negative = ((short[0] ?? 0) & 0x80) !== 0
  return element(0x02, ...(negative ? [Buffer.from([0])] : []), short)
}

export function flag(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

/** A bit string; `unused` bits at the end don't count. */
export function bits(value: Buffer, unused: number): Buffer {
  return element(0x03, Buffer.from([unused]), value)
}

export function bytes(value: Buffer): Buffer {
  return element(0x04, value)
}

export function utf8(value: string): Buffer {
  return element(0x0c, Buffer.from(value))
}

/** Milliseconds since the epoch, before 2050. */
export function time(value: number): Buffer {
  const digits = new Date(value).toISOString().replace(/[^0-9]/g, '')
  return element(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const parts = [first * 40 + second, ...rest].flatMap((part) => {
    const septets = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80)
    return septets
  })
  return element(0x06, Buffer.from(parts))
}

/** A value under a context tag, primitive. */
export function tagged(tag: number, value: Buffer): Buffer {
  return element(0x80 | tag, value)
}

/** Another element inside a context tag. */
export function constructed(tag: number, value: Buffer): Buffer {
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
