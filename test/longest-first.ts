import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Minutes lie here; the rest takes seconds. */
const LONG = [
  /\/test\/golden\//,
  /\/test\/survival\/faults/,
  /\/test\/survival\//,
  /\/test\/package\//,
  /\/test\/e2e\//,
]

/**
 * What begins last should be short, or one core waits for the other. Vitest knows how long a file
 * took only where it has run before.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const nth = LONG.findIndex((folder) => folder.test(moduleId))
      return nth === -1 ? LONG.length : nth
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
