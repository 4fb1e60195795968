import { Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import { isPlainValue, PLAIN_SIGNS } from '../services/mastodon/env-edit.ts'
import { readStatements, type Statement } from '../services/mastodon/env-text.ts'
import { faultOfHost, missingOf } from './s3-place.ts'

/** What Mastodon reads of an S3 provider (its config/initializers/paperclip.rb), but for its patience. */
export const providerNames = [
  'S3_ENABLED',
  'S3_BUCKET',
  'S3_REGION',
  'S3_ENDPOINT',
  'S3_PROTOCOL',
  'S3_HOSTNAME',
  'S3_ALIAS_HOST',
  'S3_CLOUDFRONT_HOST',
  'S3_PERMISSION',
  'S3_SIGNATURE_VERSION',
  'S3_OVERRIDE_PATH_STYLE',
  'S3_STORAGE_CLASS',
  'S3_MULTIPART_THRESHOLD',
  'S3_FORCE_SINGLE_REQUEST',
  'S3_KEY_PREFIX',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const

/** As good for one provider as for another: what is not told of these stays as it is. */
const ANYWHERE = [
  ...['S3_OPEN_TIMEOUT', 'S3_READ_TIMEOUT', 'S3_RETRY_LIMIT'],
  ...['S3_BATCH_DELETE_LIMIT', 'S3_BATCH_DELETE_RETRY', 'S3_ENABLE_CHECKSUM_MODE'],
  // The AWS SDK inside Mastodon reads these by itself.
  ...['AWS_REQUEST_CHECKSUM_CALCULATION', 'AWS_RESPONSE_CHECKSUM_VALIDATION'],
]

const KNOWN: ReadonlySet<string> = new Set([...providerNames, ...ANYWHERE])

/**
 * What the file holds, by name. Problem `new-provider-lines` for what is none of Mastodon's lines: it may
 * be a piece of a secret, so that the line is told, and not what stands there.
 */
export function readLines(text: string, file: string): ReadonlyMap<string, string> {
  const active = readStatements(text).filter((statement) => statement.active)
  const stray = strayLine(text, active)
  if (stray !== undefined) {
    throw wrongLine(file, `line ${stray}`, 'It is neither a comment nor NAME=value on one line')
  }
  for (const { key, line, expands, runs } of active) {
    if (!KNOWN.has(key)) {
      const name = /^(S3|AWS)_[A-Z0-9_]+$/.test(key) ? key : `line ${line}`
      throw wrongLine(file, name, 'It is none of the settings that Mastodon has for an S3 provider')
    }
    if (expands || runs) {
      const why =
        'Of a $ and what follows Mastodon makes something else; the value itself is needed'
      throw wrongLine(file, key, why)
    }
  }
  return new Map(active.map(({ key, value }) => [key, value.trim()]))
}

/** Number of the first line that says something and is part of no assignment. */
function strayLine(text: string, active: readonly Statement[]): number | undefined {
  let start = 0
  for (const [index, line] of text.split('\n').entries()) {
    const end = start + line.length
    const from = start
    start = end + 1
    if (/^\uFEFF?\s*(#|$)/.test(line)) continue
    if (!active.some((one) => one.start <= end && from <= one.end)) return index + 1
  }
  return undefined
}

/** Problem `new-provider-lines` for what Mastodon, the copy or the env file could not use. */
export function refuseLines(given: ReadonlyMap<string, string>, file: string): void {
  const of = (name: string) => given.get(name) ?? ''
  const missing = missingOf(of)
  if (missing.length > 0) {
    const why = 'Mastodon can not use the bucket without what is missing there'
    throw wrongLine(file, missing.join(', '), why)
  }
  for (const [name, rule] of Object.entries(RULES)) {
    const value = of(name)
    const why = value === '' ? undefined : rule(value)
    if (why !== undefined) throw wrongLine(file, name, why)
  }
  for (const [name, value] of given)
    if (!isPlainValue(value)) throw wrongLine(file, name, NOT_PLAIN)
}

const NOT_PLAIN = `It has a sign that the env file can not hold for all that read it (allowed: ${PLAIN_SIGNS}); where it is a secret, make another key`

/** Why a value can't be used, a sentence without its full stop. */
type Rule = (value: string) => string | undefined

function only(allowed: readonly string[], why: string): Rule {
  return (value) => (allowed.includes(value) ? undefined : why)
}

function from(least: number, what: string): Rule {
  const why = `It is a number, ${what}, of ${least} or more`
  return (value) => (/^\d{1,12}$/.test(value) && Number(value) >= least ? undefined : why)
}

const yesOrNo = only(
  ['true', 'false'],
  'Mastodon knows `true` alone, and takes all else for `false`',
)
const checksums: Rule = (value) =>
  /^when_(supported|required)$/i.test(value)
    ? undefined
    : 'It may be WHEN_SUPPORTED or WHEN_REQUIRED; with anything else each upload fails'

const RULES: Readonly<Record<string, Rule>> = {
  S3_ENABLED: only(['true'], 'It is exactly `true` for a provider that is used'),
  S3_BUCKET: (value) =>
    /^[a-z0-9][\w.-]*$/i.test(value) ? undefined : "It is the bucket's bare name, without a path",
  S3_PROTOCOL: only(['https'], 'Browsers refuse media without https on a page with it'),
  S3_HOSTNAME: faultOfHost,
  S3_ALIAS_HOST: faultOfHost,
  S3_CLOUDFRONT_HOST: faultOfHost,
  S3_SIGNATURE_VERSION: only(['v4'], 'The copy signs with version 4 alone'),
  S3_STORAGE_CLASS: (value) =>
    /^(glacier|deep_archive)$/i.test(value)
      ? 'What is stored in that class can not be read at once, so that nobody would see it'
      : undefined,
  S3_KEY_PREFIX: () => 'tootctl expects media at the top of the bucket',
  S3_MULTIPART_THRESHOLD: from(5_242_880, 'in bytes'),
  S3_OPEN_TIMEOUT: from(1, 'in seconds'),
  S3_READ_TIMEOUT: from(1, 'in seconds'),
  S3_RETRY_LIMIT: from(0, 'of tries'),
  S3_BATCH_DELETE_LIMIT: from(1, 'of files'),
  S3_BATCH_DELETE_RETRY: from(0, 'of tries'),
  S3_OVERRIDE_PATH_STYLE: yesOrNo,
  S3_FORCE_SINGLE_REQUEST: yesOrNo,
  S3_ENABLE_CHECKSUM_MODE: yesOrNo,
  AWS_REQUEST_CHECKSUM_CALCULATION: checksums,
  AWS_RESPONSE_CHECKSUM_VALIDATION: checksums,
}

/** Which lines, for a person who has none of them yet. */
export function linesWanted(): Text {
  return `It holds Mastodon's own lines for the provider, as its console or Mastodon's docs tell them:
  S3_BUCKET=NAME
  S3_REGION=REGION
  S3_ENDPOINT=https://HOST
  S3_HOSTNAME=HOST
  S3_ALIAS_HOST=MEDIA-HOST
  AWS_ACCESS_KEY_ID=KEY
  AWS_SECRET_ACCESS_KEY=SECRET`
}

export function wrongLine(file: string, names: string, why: string): Problem {
  return new Problem({
    code: 'new-provider-lines',
    what: `${file} can't be used as it stands: ${names}.`,
    why: `${why}.`,
    next: prose`Put it right, and run this again. ${linesWanted()}`,
    exit: 2,
  })
}
