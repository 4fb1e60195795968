import type { Oddity } from './port.ts'

/** One sentence about what is wrong with a path; `detail`: where a link leads, or the system's code. */
export function oddityNote(kind: Oddity['kind'], path: string, detail = ''): string {
  switch (kind) {
    case 'loop':
      return `${path} is a link back to ${detail}, which would never end. It is not followed.`
    case 'dangling-link':
      return `${path} is a link that leads nowhere.`
    case 'outside-link':
      return `${path} is a link to ${detail}, outside of the media folder. It is followed.`
    case 'unreadable':
      return detail === 'EACCES'
        ? `${path} may not be read by this user.`
        : `${path} can't be read: the system says ${detail}.`
    case 'not-a-file':
      return `${path} is neither a file nor a folder.`
    case 'name-not-utf8':
      return `${path} has a name that is not UTF-8; a key can't be made of it.`
    case 'hidden':
      return `${path} is hidden; Mastodon has no such files.`
    case 'vanished':
      return `${path} is gone.`
  }
}
