/** An expression that Cloudflare would refuse, or that the sandbox does not evaluate. */
export class RuleLanguageError extends Error {
  /** Cloudflare knows it, and sells it with bigger plans. */
  readonly notInPlan: boolean

  constructor(message: string, notInPlan = false) {
    super(message)
    this.name = 'RuleLanguageError'
    this.notInPlan = notInPlan
  }
}
