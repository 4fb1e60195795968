import { Problem } from '../../core/problem.ts'
import type { CopyBatch } from './port.ts'
import type { Reason } from './reason.ts'

/** A bucket refuses object after object: the one that is copied to, or the one that is read. */
export function refused({ from, to }: Pick<CopyBatch, 'from' | 'to'>, reason: Reason): Problem {
  const isRead = reason.atSource === true && from.kind === 'bucket'
  const { bucket } = isRead ? from : to
  const what = isRead ? 'to be read' : 'the uploads'
  const check = isRead
    ? 'Look at the AWS_* and S3_* lines of that provider, and at its console.'
    : 'To see what is wrong:\n  npx mastodon-r2 check'
  return new Problem({
    code: 'rclone-refused',
    what: `The bucket ${bucket} refuses ${what} (${reason.text}); the copy was stopped.`,
    why: whyOf(bucket, reason),
    next: `${check}\n  What was copied stays copied; run this again to go on.`,
  })
}

function whyOf(bucket: string, { status }: Reason): string {
  if (status === 401)
    return 'The access key does not exist (any more): it was revoked or has expired.'
  if (status === 404) {
    return `There is no bucket ${bucket} at this endpoint: it was deleted, or lies in another jurisdiction.`
  }
  return 'The access key is wrong, may not do this in the bucket, or was revoked.'
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
