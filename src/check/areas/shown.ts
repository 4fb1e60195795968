/**
 * A setting's value as it may be seen: what is long enough to be a key or a token is masked, should
 * it stand in the wrong line, and control characters can't reach the terminal.
 */
export function shown(value: string): string {
  return value
    .replace(/\/\/[^/@\s]*@/g, '//••••@')
    .replace(/[A-Za-z0-9+=_-]{40,}/g, '••••')
    .replace(/\p{Cc}/gu, '?')
}
