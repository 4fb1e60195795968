import { Problem } from '../core/problem.ts'
import type { SettingName } from './catalog.ts'

type Given = (name: SettingName) => string | undefined

/** Pairs of settings that can't both be meant, and why. Variables count as weaker than flags. */
const PAIRS: readonly (readonly [SettingName, SettingName, string])[] = [
  ['location', 'jurisdiction', 'a jurisdiction already says where the bucket lives'],
  ['print', 'json', 'the printed block holds the keys, and the JSON report never does'],
  ['print', 'dryRun', 'a dry run makes no key that could be printed'],
  ['announce', 'print', 'the announcement stands in the env file'],
  ['announce', 'sandbox', "Mastodon's own pages are not part of a rehearsal"],
  ['quiet', 'verbose', 'one asks for less, the other for more'],
]

const NOT_IN_SANDBOX: readonly SettingName[] = [
  'cloudflareApiUrl',
  's3EndpointUrl',
  'connectTo',
  'apiToken',
  'accountId',
]

/** Refuses settings that contradict each other, before anything is asked or looked at. */
export function refuseContradictions(given: Given): void {
  const isFlag = (name: SettingName) => given(name)?.startsWith('--') === true
  for (const [one, other, why] of PAIRS) {
    const [first, second] = [given(one), given(other)]
    if (first !== undefined && second !== undefined) throw contradiction(first, second, why)
  }
  if (given('sandbox') !== undefined) {
    const outside = NOT_IN_SANDBOX.find(isFlag)
    if (outside !== undefined) {
      const why = 'the sandbox brings its own Cloudflare, and its own token'
      throw contradiction('--sandbox', String(given(outside)), why)
    }
  }
  if (given('format') !== undefined && given('print') === undefined) {
    throw new Problem({
      code: 'format-without-print',
      what: '--format is about the printed block, and nothing is printed.',
      why: 'Without --print the block goes into the env file, in the one form that fits there.',
      next: 'Add --print, or leave --format out.',
      exit: 2,
    })
  }
}

function contradiction(first: string, second: string, why: string): Problem {
  return new Problem({
    code: 'settings-contradict',
    what: `${first} and ${second} can't both be meant.`,
    why: `That is so because ${why}.`,
    next: 'Leave one of them out and run it again.',
    exit: 2,
  })
}
