import { Problem } from '../../core/problem.ts'

export function mediaMissing(root: string, code: string): Problem {
  const why: Record<string, string> = {
    ENOENT: 'There is nothing by that name, or it is a link that leads nowhere.',
    ENOTDIR: 'It is no folder.',
    ELOOP: 'It is a link to itself.',
  }
  return new Problem({
    code: 'media-missing',
    what: `The media folder ${root} is not there.`,
    why: why[code] ?? `The system says ${code}.`,
    next: "Name Mastodon's folder with --mastodon-dir; where its media lies elsewhere, set PAPERCLIP_ROOT_PATH in its env file.",
    exit: 2,
  })
}

export function mediaUnreadable(root: string): Problem {
  return new Problem({
    code: 'media-unreadable',
    what: `The media folder ${root} can't be read.`,
    why: 'This user may not look into it.',
    next: "Run this as Mastodon's own user or as root, for example:\n  sudo npx mastodon-r2 migrate",
  })
}
