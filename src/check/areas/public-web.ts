import { sharedLook } from '../../core/once.ts'
import type { Check } from '../../plan/verdict.ts'
import { cachedAbsenceCheck } from './cached-absence.ts'
import { certificateCheck } from './certificate.ts'
import { contentCheck } from './content.ts'
import { corsCheck } from './cors.ts'
import { edgeCacheCheck } from './edge-cache.ts'
import type { Open } from './inside.ts'
import { findMediaHost } from './media-host.ts'
import { nameCheck } from './name.ts'
import { privateFoldersCheck } from './private-folders.ts'
import { cacheControlCheck } from './public-headers.ts'
import { rangeCheck } from './range.ts'
import { shieldsCheck } from './shields.ts'
import { topCheck } from './top.ts'
import { type VisitAt, visitMediaHost } from './visit.ts'

/**
 * The media host as a stranger sees it. One upload and one visit serve most of these; `open` finds
 * the bucket for them.
 */
export function publicWebChecks(open: Open): readonly Check[] {
  const find = sharedLook(findMediaHost)
  const go = sharedLook((at: VisitAt) => visitMediaHost(at, find, open))
  return [
    nameCheck,
    certificateCheck(find),
    topCheck(find),
    contentCheck(go),
    rangeCheck(go),
    corsCheck(go),
    cacheControlCheck(go),
    shieldsCheck(go),
    edgeCacheCheck(go),
    cachedAbsenceCheck(find, open),
    privateFoldersCheck(find),
  ]
}
