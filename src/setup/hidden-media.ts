import { shellLine, shellWord } from '../core/shell-word.ts'
import type { HiddenMedia, Installation } from '../services/mastodon/port.ts'

/** Where media may lie that nobody can look at from here; one or two sentences. */
export function hiddenWords({ path, service, volume }: HiddenMedia): string {
  return volume === undefined
    ? `No folder of this machine and no volume is mounted at ${path} of ${service}: media that Mastodon has stored lies inside the container, and is lost when docker compose up makes a new one.`
    : `Media lies in Docker's volume ${volume} (${path} of ${service}), where this program can't look.`
}

/** Lines to type, in that order, before a new container is made; none where nothing is lost by it. */
export function bringOut({
  media,
  dir = '.',
  composeFile,
}: Pick<Installation, 'media' | 'dir' | 'composeFile'>): string[] {
  const { hidden } = media
  if (hidden === undefined || hidden.volume !== undefined) return []
  const copy = ['docker', 'compose', 'cp', `${hidden.service}:${hidden.path}`, 'public/']
  return [
    'Bring the media out first, while the old container is there:',
    `  cd ${shellWord(dir)} && mkdir -p public && ${shellLine(copy)}`,
    `Then add this below "volumes:" of web and of Sidekiq in ${composeFile ?? 'the compose file'}:`,
    `  - ./public/system:${hidden.path}`,
  ]
}
