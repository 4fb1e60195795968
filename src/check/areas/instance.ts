import type { CheckWorld } from '../../plan/verdict.ts'

type At = Pick<CheckWorld, 'installation' | 'storage' | 'web'>

/** Where people open Mastodon. */
export function instanceHost({ installation }: Pick<At, 'installation'>): string | undefined {
  return installation.webDomain ?? installation.localDomain
}

/** The host of media, when the settings name a usable one. */
export function mediaHost({ storage }: Pick<At, 'storage'>): string | undefined {
  const host = storage.mediaHost ?? ''
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) ? host : undefined
}
