import { Problem } from '../core/problem.ts'
import { isTestFile } from '../core/test-file.ts'
import type { S3Port } from '../services/s3/port.ts'

/** Only runs that hold the env file put these, for a public read. */
const OF_SETUP = /^mastodon-r2-probe\/[\da-f]{32}\.txt$/
/** Milliseconds: no run is about its test files for so long. */
const ABANDONED_MS = 3_600_000

/**
 * Removes test files that a run has left which was killed: one LIST request, and nothing that could
 * be somebody else's or of a run that is under way. `holdsEnvFile`: no other run may be setting this
 * server up. `known`: one that is being removed already. That it can't be done stops nothing; a later
 * run finds them again.
 */
export async function removeLeftTests(
  s3: Pick<S3Port, 'pages' | 'deleteMany'>,
  {
    now,
    holdsEnvFile,
    known,
  }: { readonly now: Date; readonly holdsEnvFile: boolean; readonly known?: string | undefined },
): Promise<void> {
  const isLeft = (key: string, lastModified: number) =>
    isTestFile(key) &&
    key !== known &&
    ((holdsEnvFile && OF_SETUP.test(key)) || now.getTime() - lastModified > ABANDONED_MS)
  try {
    for await (const page of s3.pages('mastodon-r2-probe/')) {
      const left = page.filter(({ key, lastModified }) => isLeft(key, lastModified))
      if (left.length > 0) await s3.deleteMany(left.map(({ key }) => key))
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
  }
}
