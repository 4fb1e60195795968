import { Problem } from '../core/problem.ts'
import type { KeyBatches } from '../core/sorted-keys.ts'
import { kept } from '../moving/tally.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { railsCommand } from '../services/mastodon/tootctl.ts'
import type { StreamPort } from '../services/process/port.ts'

/**
 * Which of the keys on its standard input have a row of the database that names this very file, as
 * `tootctl media remove-orphans` tells it (its lib/mastodon/cli/media.rb). It reads, and no more: what
 * is asked of a row is an attachment by the name that its model defines, and nothing else that a key
 * may spell.
 */
const ASK = [
  'asked = 0;',
  '$stdin.each_line(chomp: true).each_slice(500) do |keys|',
  "parts = keys.map { |key| [key, key.delete_prefix('cache/').split('/')] };",
  'parts.group_by { |_, part| part[0] }.each do |folder, all|',
  'model = folder.classify.safe_constantize;',
  'named = model.respond_to?(:attachment_definitions) ? model.attachment_definitions.keys.map(&:to_s) : [];',
  'id = ->(part) { part[2...-2].join.to_i };',
  'rows = named.empty? ? {} : model.where(id: all.map { |_, part| id[part] }).index_by(&:id);',
  'all.each do |key, part|',
  'name = part[1].singularize;',
  'next puts(%(mastodon-r2 unclear #{key})) unless named.include?(name);',
  'file = rows[id[part]]&.public_send(name);',
  'puts(%(mastodon-r2 knows #{key})) if file.present? && file.variant?(part[-1])',
  'end end;',
  'asked += keys.size',
  'end;',
  'puts(%(mastodon-r2 asked #{asked}))',
].join(' ')

/** What Mastodon names so: class, attachment, the id in groups of three digits, style, file. */
const FORM = /^(cache\/)?[a-z_]+\/[a-z_]+\/(\d{3}\/){3,}[^/\s]+\/[^/\s]+$/

/** Whether Mastodon could have stored a file by that name. */
export function isMastodons(key: string): boolean {
  return FORM.test(key)
}

const TOLD = /^mastodon-r2 (knows|unclear|asked) (\S+)$/
/** More than a person could look at: that is a loss, and no clean-up. */
const MOST_KNOWN = 10_000

export interface Asking {
  readonly installation: Installation
  readonly stream: StreamPort
  readonly asRoot: boolean
  readonly signal: AbortSignal
}

export interface StillKnown {
  /** Mastodon's database names these files. */
  readonly known: ReadonlySet<string>
  /** Of a kind that this Mastodon does not know: nothing can be told of them. */
  readonly unclear: ReadonlySet<string>
}

/**
 * What Mastodon's own database says of files that are gone from the bucket, `count` of them. It is
 * asked once, and changes nothing. Problems: `mastodon-not-asked`, `files-lost`.
 */
export async function stillKnown(at: Asking, keys: KeyBatches, count: number): Promise<StillKnown> {
  const { installation, stream, asRoot, signal } = at
  const placed = railsCommand(installation, ['runner', ASK], { asRoot })
  if (placed === undefined) throw notAsked('No Mastodon was found on this machine to ask.')
  const found = { knows: new Set<string>(), unclear: new Set<string>() }
  const errors: string[] = []
  const enough = new AbortController()
  let asked: number | undefined
  const onLine = (line: string, from?: 'stdout' | 'stderr') => {
    const [, word, rest = ''] = (from === 'stderr' ? undefined : TOLD.exec(line)) ?? []
    if (word === 'asked') asked = Number(rest)
    else if (word === 'knows' || word === 'unclear') found[word].add(kept(rest))
    else if (from === 'stderr' && line.trim() !== '' && errors.length < 3) errors.push(line.trim())
    if (found.knows.size > MOST_KNOWN) enough.abort()
  }
  const { exitCode } = await stream.stream(placed.command, {
    onLine,
    input: linesOf(keys),
    signal: AbortSignal.any([signal, enough.signal]),
    ...(placed.cwd !== undefined && { cwd: placed.cwd }),
  })
  if (found.knows.size > MOST_KNOWN) throw lost()
  if (exitCode !== 0) {
    throw notAsked(`Its "bin/rails runner" failed: ${errors.join(' ') || 'it did not say why.'}`)
  }
  if (asked !== count) throw notAsked('Its "bin/rails runner" did not answer for all of them.')
  return { known: found.knows, unclear: found.unclear }
}

async function* linesOf(keys: KeyBatches): AsyncGenerator<string> {
  for await (const some of keys) yield some.map(({ key }) => `${key}\n`).join('')
}

function notAsked(why: string): Problem {
  return new Problem({
    code: 'mastodon-not-asked',
    what: 'It is not known whether Mastodon still needs what the bucket has lost.',
    why: `${why} Of a file that was lost and not deleted, Cloudflare's cache may hold the last copy, so nothing was purged.`,
    next: 'Run this where Mastodon runs, as root or as its user, and while its database answers. Single files can be purged by their addresses.',
    exit: 2,
  })
}

function lost(): Problem {
  return new Problem({
    code: 'files-lost',
    what: `The bucket lacks more than 10,000 files that Mastodon's database still names.`,
    why: "That is a loss and no deletion. Cloudflare's cache may hold the last copies, so nothing was purged.",
    next: 'See whether S3_BUCKET and S3_ENDPOINT are those of the media, and bring back what is missing from the old disk or a backup, before anything is purged.',
  })
}
