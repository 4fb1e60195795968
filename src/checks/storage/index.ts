import type { Check } from '../../plan/check.ts'
import { sharedLook } from '../shared-look.ts'
import { aclCheck } from './acl.ts'
import { bucketCheck } from './bucket.ts'
import { clockSkewCheck } from './clock-skew.ts'
import { openDoor } from './door.ts'
import { keyReachCheck } from './key-reach.ts'
import { misplacedCheck } from './misplaced.ts'
import { uploadCheck } from './upload.ts'

/** The bucket through its S3 endpoint, as Mastodon uses it. One HEAD finds it for all of them. */
export function storageChecks(): readonly Check[] {
  const open = sharedLook(openDoor)
  return [
    bucketCheck(open),
    uploadCheck(open),
    aclCheck(open),
    misplacedCheck(open),
    keyReachCheck(open),
    clockSkewCheck,
  ]
}
