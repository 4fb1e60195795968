import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder of the running test's own. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-media-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
