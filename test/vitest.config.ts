import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './longest-first.ts'
import { temporaryFolder } from './temporary-folder.ts'

const alone = 'test/**/*.alone.test.ts'
const folder = temporaryFolder()

export default testsWithout([])

/** Every test but those of these files. */
export function testsWithout(files: readonly string[]) {
  const exclude = [...configDefaults.exclude, ...files]
  return defineConfig({
    root: fileURLToPath(new URL('..', import.meta.url)),
    test: {
      testTimeout: 60_000,
      hookTimeout: 90_000,
      // Most tests wait for other programs now and then: two more than there are cores keep those busy.
      maxWorkers: availableParallelism() + 2,
      sequence: { sequencer: LongestFirst },
      // Where it is set, every Node that a test starts reads all authorities first, twice its start.
      env: { NODE_EXTRA_CA_CERTS: '', ...(folder !== undefined && { TMPDIR: folder }) },
      projects: [
        {
          extends: true,
          test: {
            name: 'together',
            include: ['test/**/*.test.ts'],
            exclude: [...exclude, alone],
            // Nothing in src/ keeps anything beyond a run, so its modules are loaded once a worker.
            isolate: false,
          },
        },
        // What changes its own process: clocks, environment.
        { extends: true, test: { name: 'alone', include: [alone], exclude } },
      ],
    },
  })
}
