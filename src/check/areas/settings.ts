import type { Check } from '../../plan/verdict.ts'
import {
  dollars,
  duplicates,
  fileMode,
  hindranceChecks,
  plainLines,
  reset,
  shadowed,
} from './settings-file.ts'
import { aliasHost, cdnHost, endpoint, extraMediaHosts } from './settings-hosts.ts'
import {
  accessKey,
  bucket,
  enabled,
  leftovers,
  permission,
  protocol,
  region,
  utf8,
} from './settings-lines.ts'
import { checksums, proxy } from './settings-sdk.ts'

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
  proxy,
  leftovers,
  cdnHost,
  extraMediaHosts,
  utf8,
  plainLines,
  dollars,
  duplicates,
  shadowed,
  fileMode,
]
