import type { Check } from '../../plan/verdict.ts'
import { accessKey } from './access-key.ts'
import { cdnHost } from './cdn-host.ts'
import { duplicates } from './duplicates.ts'
import { enabled } from './enabled.ts'
import { endpoint } from './endpoint.ts'
import { extraMediaHosts } from './extra-media-hosts.ts'
import { fileMode } from './file-mode.ts'
import { hindranceChecks } from './hindrance.ts'
import { leftovers } from './leftovers.ts'
import { overruled } from './overruled.ts'
import { permission } from './permission.ts'
import { plainLines } from './plain-lines.ts'
import { protocol } from './protocol.ts'
import { region } from './region.ts'
import { reset } from './reset.ts'
import { bucket } from './settings-bucket.ts'
import { dollars } from './settings-file.ts'
import { aliasHost } from './settings-hosts.ts'
import { checksums } from './settings-lines.ts'

/** What Mastodon's settings alone can tell. */
export const settingsChecks: readonly Check[] = [
  enabled,
  reset,
  bucket,
  endpoint,
  region,
  protocol,
  permission,
  aliasHost,
  accessKey,
  ...hindranceChecks,
  checksums,
  leftovers,
  cdnHost,
  extraMediaHosts,
  plainLines,
  dollars,
  duplicates,
  overruled,
  fileMode,
]
