import type { MediaSource } from '../services/media/port.ts'
import type { KnownMedia } from './known-media.ts'

/** What the steps of `redirects` know besides the world. */
export interface Redirecting {
  readonly mediaHost: string
  /** What it is in the end; 302 comes first in every case. */
  readonly status: 301 | 302
  readonly known: KnownMedia
  /** Mastodon stores new media on R2, so nothing new appears at the old addresses. */
  readonly switchedOn: boolean
  /** Media that is still on this machine. */
  readonly local: MediaSource | undefined
}
