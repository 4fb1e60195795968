/** More than any answer to this tool's questions needs; files are read elsewhere. Bytes. */
const MOST_ANSWERED = 16 * 1_048_576

/**
 * What comes, as long as it is not more than `limit` bytes; then it throws what `tooMuch` makes and
 * reads no further. Of a compressed answer the unpacked bytes belong here.
 */
export async function* capped(
  chunks: AsyncIterable<Uint8Array>,
  tooMuch: () => Error,
  limit = MOST_ANSWERED,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > limit) throw tooMuch()
    yield chunk
  }
}

/** All of it in one piece; throws as `capped` does. */
export async function readCapped(
  chunks: AsyncIterable<Uint8Array>,
  tooMuch: () => Error,
  limit = MOST_ANSWERED,
): Promise<Buffer> {
  const read: Uint8Array[] = []
  for await (const chunk of capped(chunks, tooMuch, limit)) read.push(chunk)
  return Buffer.concat(read)
}

/** Bytes that have to come within the time in which a server may stay silent. */
const LEAST_IN_TIME = 16_384

/**
 * What comes, as long as it comes faster than `LEAST_IN_TIME` in `limitMs`; then it throws what
 * `tooSlow` makes. Only the time in which it was waited for counts.
 */
export async function* timely(
  chunks: AsyncIterable<Uint8Array>,
  limitMs: number,
  tooSlow: () => Error,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [waitedMs, bytes, since] = [0, 0, performance.now()]
  for await (const chunk of chunks) {
    waitedMs += performance.now() - since
    bytes += chunk.length
    if (bytes >= LEAST_IN_TIME) [waitedMs, bytes] = [0, 0]
    if (waitedMs > limitMs) throw tooSlow()
    yield chunk
    since = performance.now()
  }
}
