import type { Check } from '../../plan/check.ts'
import { sharedLook } from '../shared-look.ts'
import { cacheControlCheck } from './cache-control.ts'
import { cachedAbsenceCheck } from './cached-absence.ts'
import { certificateCheck } from './certificate.ts'
import { contentCheck } from './content.ts'
import { corsCheck } from './cors.ts'
import { edgeCacheCheck } from './edge-cache.ts'
import { findMediaHost } from './media-host.ts'
import { nameCheck } from './name.ts'
import { privateFoldersCheck } from './private-folders.ts'
import { rangeCheck } from './range.ts'
import { shieldsCheck } from './shields.ts'
import { topCheck } from './top.ts'
import { type VisitAt, visitMediaHost } from './visit.ts'

/** The media host as a stranger sees it. One upload and one visit serve most of these. */
export function publicWebChecks(): readonly Check[] {
  const find = sharedLook(findMediaHost)
  const go = sharedLook((at: VisitAt) => visitMediaHost(at, find))
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
    cachedAbsenceCheck(find),
    privateFoldersCheck(find),
  ]
}
