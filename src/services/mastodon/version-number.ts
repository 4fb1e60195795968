/** Whether a version such as `4.5.0-rc.1+glitch` is at least `wanted`; a test version is before its release. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [own, other] = [parts(version), parts(wanted)]
  for (const [index, number] of own.entries()) {
    const difference = number - (other[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** Major, minor, patch, and 1 for a release or 0 for a test version before it. */
function parts(version: string): number[] {
  const [, major, minor, patch, rest = ''] =
    /^v?(\d+)\.(\d+)(?:\.(\d+))?([^+]*)/.exec(version) ?? []
  return [major, minor, patch].map((part) => Number(part ?? 0)).concat(rest === '' ? 1 : 0)
}
