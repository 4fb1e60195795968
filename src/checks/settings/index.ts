import type { Check } from '../../plan/check.ts'
import { accessKey } from './access-key.ts'
import { aliasHost } from './alias-host.ts'
import { bucket } from './bucket.ts'
import { cdnHost } from './cdn-host.ts'
import { checksums } from './checksums.ts'
import { dollars } from './dollars.ts'
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
