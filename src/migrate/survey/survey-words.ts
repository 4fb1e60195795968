import type { LeftOut } from '../selection.ts'

export const leftOutWords: Readonly<Record<LeftOut, string>> = {
  cache: 'cache/',
  skipped: 'skipped',
  private: 'private',
  suspended: 'suspended users',
  unfinished: 'being stored',
}

const oddities: Readonly<Record<string, string>> = {
  loop: 'Links in a circle, not followed',
  'dangling-link': 'Links that lead nowhere',
  'outside-link': 'Links out of the media folder, followed',
  unreadable: 'Not readable by this user, so not copied',
  'not-a-file': 'Neither file nor folder',
  'name-not-utf8': 'Names that are not UTF-8, so not copied',
  hidden: 'Hidden, so not copied',
  vanished: 'Gone while this looked',
}

/** What an oddity of a walk means, for a list. */
export function oddityWords(kind: string): string {
  return oddities[kind] ?? kind
}

/** A key as one word in ASCII, however odd it is. */
export function shownKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  return JSON.stringify(key).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `$0.00`, `$12.34` */
export function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`
}
