import { Problem } from '../core/problem.ts'
import { type CommandFlags, prose, type ToType } from '../core/to-type.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { railsCommand } from '../services/mastodon/tootctl.ts'
import type { StreamPort } from '../services/process/port.ts'
import type { Destination } from './leaving.ts'

/**
 * Attachments of suspended users, which Mastodon makes 0600 on a disk (its
 * app/services/suspend_account_service.rb) and can't hide on R2: its database alone knows them. With
 * S3 a path is the key, with a disk it is the file's; either way the key is the end of it.
 */
const ASK = [
  'MediaAttachment.joins(:account).merge(Account.suspended).find_each do |media|',
  '[media.file, media.thumbnail].each do |file|',
  'next if file.blank?;',
  '([:original] | file.styles.keys).each { |style| puts file.path(style) }',
  'end end',
].join(' ')

const KEY = /(?:^|\/)((?:cache\/)?media_attachments\/(?:files|thumbnails)\/\S.*)$/

export interface Asking {
  readonly installation: Installation
  readonly stream: StreamPort
  readonly asRoot: boolean
  readonly signal: AbortSignal
  /** Where the media goes. */
  readonly kind: Destination['kind']
  /** This run once more. */
  lineFor(more?: CommandFlags['leave']): ToType
}

/** Their keys, as Mastodon's own Rails tells them. Problem `suspended-unknown`. */
export async function hiddenKeys(at: Asking): Promise<ReadonlySet<string>> {
  const { installation, stream, asRoot, signal } = at
  const placed = railsCommand(installation, ['runner', ASK], { asRoot })
  if (placed === undefined) throw unknown(at, 'No Mastodon was found on this machine to ask.')
  const { command, cwd } = placed
  const keys = new Set<string>()
  const errors: string[] = []
  let odd: string | undefined
  const onLine = (line: string, from?: 'stdout' | 'stderr') => {
    const key = from === 'stderr' ? undefined : KEY.exec(line)?.[1]
    if (key !== undefined) keys.add(key)
    else if (from !== 'stderr' && line.includes('media_attachments/')) odd ??= line
    else if (from === 'stderr' && line.trim() !== '') errors.push(line.trim())
    if (errors.length > 3) errors.pop()
  }
  const { exitCode } = await stream.stream(command, {
    onLine,
    signal,
    ...(cwd !== undefined && { cwd }),
  })
  // A file that is hidden, and would not be found under that name.
  if (exitCode === 0 && odd !== undefined)
    throw unknown(at, `It tells a path of another form: ${JSON.stringify(odd)}.`)
  if (exitCode === 0) return keys
  throw unknown(at, `Its "bin/rails runner" failed: ${sentence(errors) || 'it did not say why.'}`)
}

function unknown({ kind, lineFor }: Asking, why: string): Problem {
  const hides =
    kind === 'disk'
      ? 'On a disk Mastodon hides those files by their mode'
      : 'Mastodon hides those files by their ACL'
  const open = lineFor({ suspendedOpen: true })
  return new Problem({
    code: 'suspended-unknown',
    what: 'It is not known which media belongs to suspended users.',
    why: `${why} ${hides}; in the bucket on R2 nothing tells them apart.`,
    next: prose`Run this where Mastodon runs, and its database:\n  ${lineFor()}\nOr bring them readable as all else (hide them later by suspending the accounts anew):\n  ${open}`,
    exit: 2,
  })
}

function sentence(lines: readonly string[]): string {
  return lines.join(' ').replace(/[^.!?]$/, '$&.')
}
