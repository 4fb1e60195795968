/**
 * Mastodon's version from the text of lib/mastodon/version.rb (methods major, minor, patch, and
 * default_prerelease or, up to 4.1, flags and suffix). `settings` may hold the two variables that
 * the file itself reads; a fork's literal metadata such as `glitch` is taken from the file.
 */
export function versionFromSource(
  source: string,
  settings: (name: string) => string | undefined = () => undefined,
): string | undefined {
  const numbers = ['major', 'minor', 'patch'].map((name) => body(source, name, '(\\d+)'))
  if (numbers[0] === undefined || numbers[1] === undefined) return undefined
  const core = numbers.filter((number) => number !== undefined).join('.')
  const word = `['"]([^'"]*)['"]`
  const flags = (body(source, 'flags', word) ?? '') + (body(source, 'suffix', word) ?? '')
  const prerelease =
    settings('MASTODON_VERSION_PRERELEASE') || body(source, 'default_prerelease', word)
  const fork = body(source, 'build_metadata', `\\[\\s*${word}`)
  const metadata = [fork, settings('MASTODON_VERSION_METADATA')].filter(Boolean).join('.')
  return `${core}${flags}${prerelease ? `-${prerelease}` : ''}${metadata ? `+${metadata}` : ''}`
}

/** The version that an image's tag tells, e.g. `ghcr.io/mastodon/mastodon:v4.6.5`; not `latest`. */
export function versionFromImage(image: string): string | undefined {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1]
  return /^v?(\d+\.\d+(?:\.\d+)?(?:[-+.][\w.+-]+)?)$/.exec(tag ?? '')?.[1]
}

/** What a method without arguments returns, when it is a literal. */
function body(source: string, method: string, literal: string): string | undefined {
  const form = new RegExp(`def\\s+(?:self\\.)?${method}(?:\\(\\))?(?:\\s*=)?\\s+${literal}`)
  return form.exec(source)?.[1]
}
