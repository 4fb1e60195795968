import { Problem } from '../../problem.ts'
import type { CopyPlace } from './port.ts'
import type { Reason } from './reason.ts'

/** The bucket refuses object after object. */
export function refused(to: Extract<CopyPlace, { kind: 'bucket' }>, reason: Reason): Problem {
  const { why, next } = wordsOf(to.bucket, reason)
  return new Problem({
    code: 'rclone-refused',
    what: `The bucket ${to.bucket} refuses the uploads (${reason.text}); the copy was stopped.`,
    why,
    next: `${next}\n  What was copied stays copied; run this again to go on.`,
  })
}

function wordsOf(bucket: string, { status }: Reason): { why: string; next: string } {
  const check = 'To see what is wrong:\n  npx mastodon-r2 check'
  if (status === 401) {
    return {
      why: 'The access key does not exist (any more): it was revoked or has expired.',
      next: check,
    }
  }
  if (status === 404) {
    return {
      why: `There is no bucket ${bucket} at this endpoint: it was deleted, or lies in another jurisdiction.`,
      next: check,
    }
  }
  return {
    why: 'The access key is wrong, may not write to this bucket, or was revoked.',
    next: check,
  }
}

/** rclone ended without doing its work. `words`: the last that it said. */
export function failed(exitCode: number | undefined, words: readonly string[]): Problem {
  if (exitCode === undefined) {
    return new Problem({
      code: 'rclone-failed',
      what: 'rclone was ended in the middle of its work.',
      why: 'Somebody or the system did so; the latter when memory runs short (see: sudo dmesg | tail).',
      next: 'Run this again to go on; if it happens again, with fewer at a time: --transfers 16',
    })
  }
  return new Problem({
    code: 'rclone-failed',
    what: `rclone ended without doing its work (exit code ${exitCode}).`,
    why: words.length === 0 ? 'It did not say why.' : `It said: ${words.join(' ')}`,
    next: 'Put right what it names, then run this again to go on.',
  })
}

/** The server can't be reached, or fails, object after object. */
export function unreachable(endpoint: string, reason: Reason): Problem {
  return new Problem({
    code: 'rclone-failed',
    what: `Nothing gets through to ${endpoint} any more (${reason.text}); the copy was stopped.`,
    why: 'Each object was tried ten times. The network, or the service, has a disturbance.',
    next: 'See https://www.cloudflarestatus.com/, then run this again to go on.',
  })
}
