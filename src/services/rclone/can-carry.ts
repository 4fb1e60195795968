/**
 * Characters with which rclone writes what a storage can't hold (docs/content/overview.md, "Restricted
 * characters"), and those that end a line of its list or are no plain text to every S3 server.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CHANGED = /[\u0000-\u001f\u007f\u0085\u2028\u2029\u201b\u2400-\u2426\uff0f]|\p{Surrogate}/u

const PARTS: ReadonlySet<string> = new Set(['', '.', '..', '\uff0e', '\uff0e\uff0e'])

/**
 * Whether rclone can be told of a key on one line of `--files-from-raw` and stores it unchanged;
 * found by trying it with 1.60.1. Names that Mastodon makes up are all plain.
 */
export function canCarry(key: string): boolean {
  return !CHANGED.test(key) && !key.split('/').some((part) => PARTS.has(part))
}
