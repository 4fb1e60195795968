const UTF8_OR_STRAY_BYTE =
  /[^\x80-\xff]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g

const ESCAPED_BYTES = /((?<![\ud800-\udbff])[\udc80-\udcff]+)/

/**
 * File bytes as text and back without loss: UTF-8, and each byte that isn't UTF-8 becomes one lone
 * surrogate U+DC80…U+DCFF (the scheme of Python's PEP 383). A byte order mark stays in the text.
 */
export const fileText = {
  decode(bytes: Uint8Array): string {
    const latin1 = Buffer.from(bytes).toString('latin1')
    return latin1.replace(UTF8_OR_STRAY_BYTE, (run: string, stray: string | undefined) =>
      stray === undefined
        ? Buffer.from(run, 'latin1').toString('utf8')
        : String.fromCharCode(0xdc00 + stray.charCodeAt(0)),
    )
  },

  encode(text: string): Buffer {
    const parts = text.split(ESCAPED_BYTES).map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part, 'utf8')
      return Buffer.from(Array.from(part, (char) => char.charCodeAt(0) - 0xdc00))
    })
    return Buffer.concat(parts)
  },
}
