import { createHash } from 'node:crypto'

/** The name of the folder for a pair of source and bucket: the bucket, and what tells pairs apart. */
export function checkpointId(sourceName: string, endpoint: string, bucket: string): string {
  const pair = JSON.stringify([sourceName, endpoint.replace(/\/+$/, ''), bucket])
  const mark = createHash('sha256').update(pair).digest('hex').slice(0, 12)
  return `${bucket.replaceAll(/[^a-z0-9-]/g, '_')}-${mark}`
}
