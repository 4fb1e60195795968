import type { Step } from '../plan/step.ts'
import { accessKeys, keyInUse } from './access-keys.ts'
import { bucket, devUrl, lifecycle } from './bucket.ts'
import { cors } from './cors.ts'
import { envFile } from './env-file.ts'
import { mediaDomain } from './media-domain.ts'
import { uploadProbe } from './proof.ts'
import { publicRead, withTestFile } from './public-read.ts'
import { token } from './token.ts'
/** All that Cloudflare does for a media host which another one will make way for. */
export const hostSteps: readonly Step[] = [token, bucket, mediaDomain, cors, lifecycle, devUrl]

/**
 * The setup from top to bottom. Long waits start early and are confirmed late. Mastodon's settings
 * come last: nothing that it could read is written before what they point at was seen to work.
 */
export const initSteps: readonly Step[] = [
  token,
  bucket,
  mediaDomain,
  accessKeys,
  cors,
  lifecycle,
  devUrl,
  withTestFile(uploadProbe),
  publicRead,
  envFile,
  keyInUse,
]
