import { counted } from '../core/amounts.ts'
import type { Text } from '../core/to-type.ts'
import type { Change } from '../plan/step.ts'
import type { Failed, Leaving } from './leaving.ts'

/** How Mastodon hides media there. */
export function howHidden({ there }: Pick<Leaving, 'there'>): string {
  return there.kind === 'disk' ? 'mode 0600' : 'ACL private'
}

/** In the plan of a cut-over. */
export async function hidesSuspended(at: Leaving): Promise<readonly Change[]> {
  const { size } = await at.hidden()
  const what = `hide what is there of suspended users, as Mastodon does (${howHidden(at)})`
  return size === 0 ? [] : [{ what, risk: 'safe' }]
}

/**
 * Whose users were suspended after their media was brought: Mastodon hides media where it is in use
 * alone, so it is asked once more. Gives what could not be hidden, for a person. Problem
 * `suspended-unknown`.
 */
export async function hideSuspended(at: Leaving): Promise<readonly Text[]> {
  const { there, tell, note } = at
  tell('Asking Mastodon whose media is hidden')
  const keys = await at.hidden('anew').finally(() => tell(''))
  if (keys.size === 0) return []
  tell(`Looking after ${counted(keys.size, 'file')} of suspended users`)
  const { hidden, failed } = await there.hide([...keys])
  tell('')
  note(`hidden, as of suspended users: ${hidden} (${howHidden(at)})`)
  for (const { key, reason } of failed) note(`not hidden: ${JSON.stringify(key)}: ${reason}`)
  const [first] = failed
  if (first === undefined) return []
  return [notHidden(at, first, failed.length)]
}

function notHidden({ there }: Leaving, { key, reason }: Failed, many: number): string {
  const [are, them] = many === 1 ? ['is', 'it'] : ['are', 'them']
  const files = `${counted(many, 'file')} ${there.words.on} ${are} of suspended users, such as ${JSON.stringify(key)}`
  const why = reason.replace(/[^.]$/, '$&.')
  const until = 'The log of this run names all.'
  // What was copied since they are suspended got its ACL with it.
  return there.kind === 's3'
    ? `${files}, and could not be given the ACL private: ${why} Of these what was copied before the suspension can be read by whoever has its address, until the ACL is set by hand. ${until}`
    : `${files}, and could not be hidden (mode 0600): ${why} Whoever has an address of ${them} can read ${them} until that is done by hand. ${until}`
}
