import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Minutes lie here; the rest takes seconds. */
const LONG = [
  /\/survival\/faults-(s3|rotate)/,
  /\/e2e\/(leave-cutover|leave-to-s3|compose-forms|sandbox|edge|migrate-cutover)\./,
  /\/rotate\/rotate-survives|\/survival\/(killed|faults|redirects)/,
  /\/compose\/real|\/golden\//,
  /\/survival\//,
  /\/e2e\/|\/package\//,
  /\/sandbox\/|\/services\/(rclone|s3)\//,
]

/**
 * What begins last should be short, or one core waits for the other. Vitest knows how long a file
 * took only where it has run before.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      // Behind all others: a process that changes projects begins anew, and loads everything again.
      if (project.name === 'alone') return LONG.length + 1
      const nth = LONG.findIndex((folder) => folder.test(moduleId))
      return nth === -1 ? LONG.length : nth
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
