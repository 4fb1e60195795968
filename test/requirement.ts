/** Programs that not every Debian packages: asked where they are, and never part of `all`. */
const ELSEWHERE = ['compose', 'kubectl', 'terraform']

/**
 * Whether what a test needs must be there: MASTODON_R2_TEST_REQUIRE is a comma list of `chromium`, `zsh`,
 * `contract`, `rclone`, `ruby`, `tmux`, `nginx`, `node18`, `node22` …, or `all`. What is not required may be skipped.
 */
export function isRequired(name: string): boolean {
  const wanted = (process.env.MASTODON_R2_TEST_REQUIRE ?? '').split(',').map((word) => word.trim())
  return wanted.includes(name) || (wanted.includes('all') && !ELSEWHERE.includes(name))
}
