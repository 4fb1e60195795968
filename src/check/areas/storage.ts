import type { Check } from '../../plan/verdict.ts'
import { aclCheck } from './acl.ts'
import { bucketCheck } from './bucket.ts'
import { clockSkewCheck } from './clock-skew.ts'
import type { Open } from './inside.ts'
import { keyReachCheck } from './key-reach.ts'
import { misplacedCheck } from './misplaced.ts'
import { uploadCheck } from './upload.ts'

/** The bucket through its S3 endpoint, as Mastodon uses it. `open` finds it once for all of them. */
export function storageChecks(open: Open): readonly Check[] {
  return [
    bucketCheck(open),
    uploadCheck(open),
    aclCheck(open),
    misplacedCheck(open),
    keyReachCheck(open),
    clockSkewCheck,
  ]
}
