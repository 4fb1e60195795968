import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** workerd compresses what it is told is `gzip` once more, so the emulator keeps the word elsewhere. */
const ENCODING = 'x-amz-meta-sandbox-content-encoding'

/** Headers that end here: the framing, the signature, what has been verified on the way. */
const spent =
  /^(host|connection|keep-alive|expect|authorization|transfer-encoding|content-(length|md5|encoding)|accept-encoding|x-amz-(content-sha256|date|trailer|decoded-content-length|sdk-.*|checksum-(?!algorithm).*|copy-source)|mf-.*|cf-.*)$/

/** What of a client's headers goes on to the emulator; `aws-chunked` is framing, not an encoding. */
export function headersForEmulator(headers: ReadonlyMap<string, string>): Record<string, string> {
  const encoding = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'aws-chunked')
    .join(',')
  return {
    ...Object.fromEntries([...headers].filter(([name]) => !spent.test(name))),
    ...(encoding === '' ? {} : { [ENCODING]: encoding }),
  }
}

/** What of the emulator's answer goes back; its CORS headers say nothing about the bucket's rules. */
export function headersFromEmulator(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const hop = /^(connection|keep-alive|transfer-encoding|access-control-.*|date)$/
  const encoding = headers[ENCODING]?.toString()
  return {
    ...Object.fromEntries(
      Object.entries(headers).filter(([name]) => !hop.test(name) && name !== ENCODING),
    ),
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  }
}
