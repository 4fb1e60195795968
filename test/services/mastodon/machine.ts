import { join } from 'node:path'
import { findMastodon, type Search } from '../../../src/services/mastodon/find.ts'
import { scratch, write } from './scratch.ts'

export const LIVE = 'home/mastodon/live'
/** lib/mastodon/version.rb of 4.6.5, cut down. */
export const versionRb = ['major 4', 'minor 6', 'patch 5']
  .map((line) => `def ${line.replace(' ', '\n  ')}\nend\n`)
  .join('')
/** A machine with these files; the working directory is /tmp of it, unless told. */
export async function search(files: Record<string, string>, options: Partial<Search> = {}) {
  const root = write(scratch(), { 'tmp/.keep': '', ...files })
  const { cwd = 'tmp', mastodonDir, envFile, mediaDir, environment = {} } = options
  const found = await findMastodon({
    root,
    cwd: join(root, cwd),
    environment,
    mastodonDir: mastodonDir && join(root, mastodonDir),
    envFile: envFile && join(root, envFile),
    mediaDir: mediaDir && join(root, mediaDir),
  })
  const short = (path: string | undefined) => path?.replace(`${root}/`, '')
  return {
    found,
    dir: short(found.dir),
    envFile: short(found.envFile.path),
    envFiles: found.envFiles.map(({ path }) => short(path)),
    value: (key: string) => found.settings.get(key)?.value,
    from: (key: string) => short(found.settings.get(key)?.from),
    mediaRoot: short(found.media.root),
  }
}
