/**
 * Keys in the order in which S3 lists them: by their UTF-8 bytes. UTF-16 order (`<`) is another one as
 * soon as a character outside the basic plane meets one behind the surrogates.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x !== y) return inUtf8Order(x) - inUtf8Order(y)
  }
  return a.length - b.length
}

/** Surrogates stand for what comes behind every other UTF-16 unit. */
function inUtf8Order(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
