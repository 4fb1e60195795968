/** How a step ended. */
export interface Outcome {
  readonly id: string
  readonly title: string
  readonly status: 'ready' | 'changed' | 'failed' | 'blocked' | 'skipped'
  readonly note: string
  readonly changes: readonly { what: string; risk: 'safe' | 'public' | 'destructive' }[]
  /** Carried out, but the run ended before it could be seen to have worked. */
  readonly unconfirmed?: true
  /** How far it came by then. */
  readonly reached?: string
  /** What to type before the next run can do what this one left. */
  readonly next?: string
}

/** Told while the steps run; knows nothing of screens. */
export interface Progress {
  started(id: string, title: string): void
  told(id: string, title: string, state: string): void
  ended(outcome: Outcome): void
}
