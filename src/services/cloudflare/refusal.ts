import { Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import type { Sending } from './call.ts'
import { explain } from './hints.ts'
import { isCertificateTrouble } from './wire.ts'
import { mayHaveHappened, type WireFailureDetails } from './wire-failure.ts'

/** Cloudflare said no. The numbers are those of its `errors`, e.g. 10006. */
export class Refusal extends Problem {
  readonly status: number
  readonly numbers: readonly number[]
  /** Cloudflare's own words. */
  readonly said: string

  constructor(failure: WireFailureDetails) {
    super(explain(failure))
    this.status = failure.status ?? 0
    this.numbers = failure.errors.map(({ code }) => code)
    this.said = failure.errors.map(({ message }) => message).join('; ')
  }

  /** The token may not ask this; 10042 (R2 not switched on) says nothing about the token. */
  get isForbidden(): boolean {
    return [401, 403].includes(this.status) && !this.numbers.includes(10042)
  }
}

/** What the caller gets to see of an attempt that did not work. */
export function toProblem(failure: WireFailureDetails, sending: Sending, token: Secret): Problem {
  const safe = withoutToken(failure, token)
  const isWrite = safe.method !== 'GET'
  if (isWrite && mayHaveHappened(safe) && (sending !== 'repeatable' || safe.reason !== 'refused')) {
    return answerLost(safe)
  }
  if (safe.reason === 'refused') return new Refusal(safe)
  return safe.reason === 'garbled' ? garbled(safe) : unreachable(safe)
}

function answerLost({ method, path, status, detail }: WireFailureDetails): Problem {
  const reason = status === undefined ? (detail ?? 'connection broken') : `HTTP ${status}`
  return new Problem({
    code: 'cloudflare-answer-lost',
    what: 'A change was sent to Cloudflare, and its answer never came.',
    why: `It may have been carried out or not (${method} ${path.split('?')[0]}: ${reason}).`,
    next: 'Run this again: it looks first, and goes on from what it finds.',
  })
}

function garbled({ method, path, status }: WireFailureDetails): Problem {
  return new Problem({
    code: 'cloudflare-garbled',
    what: "The answer did not come from Cloudflare's API.",
    why: `It is not in the form that the API uses (${method} ${path.split('?')[0]}: HTTP ${status}). A proxy, a captive portal or a wrong address may be in between.`,
    next: "Check CLOUDFLARE_BASE_URL, --cloudflare-api-url and this machine's way to the internet, and run this again.",
  })
}

function unreachable({ detail = 'connection broken' }: WireFailureDetails): Problem {
  return new Problem({
    code: 'cloudflare-unreachable',
    what: "Cloudflare's API could not be reached.",
    why: isCertificateTrouble(detail)
      ? `The other end's certificate is not trusted (${detail}): something is in between, or this machine's clock or certificates are wrong.`
      : `The network of this machine says ${detail}.`,
    next: 'Try `curl -I https://api.cloudflare.com` on this machine; once that works, run this again.',
  })
}

function withoutToken(failure: WireFailureDetails, token: Secret): WireFailureDetails {
  const errors = failure.errors.map(({ code, message }) => ({
    code,
    message: message.replaceAll(token.reveal(), String(token)),
  }))
  return { ...failure, errors }
}
