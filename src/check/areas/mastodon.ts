import type { Check } from '../../plan/verdict.ts'
import { announcement } from './announcement.ts'
import { containerSettings } from './container-settings.ts'
import { oldLinks } from './old-links.ts'
import { pagePolicy } from './pages.ts'
import { runningSettings } from './running.ts'
import { version } from './version.ts'
import { workerPolicy } from './worker-policy.ts'

/** What the running Mastodon tells: its version, its processes, its pages. */
export const mastodonChecks: readonly Check[] = [
  version,
  runningSettings,
  containerSettings,
  pagePolicy,
  workerPolicy,
  oldLinks,
  announcement,
]
