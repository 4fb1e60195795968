import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './longest-first.ts'

const alone = 'test/**/*.alone.test.ts'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // Most tests wait for other programs, so no core is kept free for the one that reports.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, alone],
          // Nothing in src/ keeps anything beyond a run, so its modules are loaded once a worker.
          isolate: false,
        },
      },
      // What changes its own process: clocks, environment, fetch.
      { extends: true, test: { name: 'alone', include: [alone] } },
    ],
  },
})
