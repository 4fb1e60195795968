/** Names of random hex: nobody else has such, in a folder that is ours. */
const OURS = /^mastodon-r2-probe\/(?:[\da-f]{16}|[\da-f]{32})(?:-[a-z]+)?\.(?:txt|bin|png)$/

/** Whether an object in a bucket is surely a test file of this program. */
export function isTestFile(key: string): boolean {
  return OURS.test(key)
}
