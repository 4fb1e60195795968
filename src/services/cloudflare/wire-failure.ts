export interface ApiError {
  readonly code: number
  readonly message: string
}

export interface WireFailureDetails {
  /**
   * `unreached`: no connection came about, nothing was sent. `lost`: sent, but no whole answer.
   * `garbled`: an answer that isn't Cloudflare's envelope. `refused`: an answer that says no.
   */
  readonly reason: 'unreached' | 'lost' | 'garbled' | 'refused'
  readonly method: string
  readonly path: string
  readonly status?: number
  readonly errors: readonly ApiError[]
  readonly rayId?: string
  readonly retryAfterSeconds?: number
  /** The network's own word, e.g. ECONNREFUSED. */
  readonly detail?: string
}

/**
 * One HTTP attempt that did not work. Its text is fixed and it has no `cause`: the SDK searches
 * both for "timed out" and throws the error away where it finds it.
 */
export class WireFailure extends Error {
  readonly details: WireFailureDetails

  constructor(details: WireFailureDetails) {
    super('The call failed.')
    this.name = 'WireFailure'
    this.details = details
  }
}

/** Whether Cloudflare may have carried the call out although nobody was told so. */
export function mayHaveHappened({ reason, status = 0 }: WireFailureDetails): boolean {
  if (reason === 'refused') return status >= 500 || status === 408
  return reason !== 'unreached' && !(status >= 300 && status < 500)
}
