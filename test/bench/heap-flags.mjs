/** What `migrate` sets (keepHeapSmall in src/moving/small-heap.ts), for programs that are measured. */
export const heapFlags = `import { setFlagsFromString } from 'node:v8'
for (const flag of ['--max-semi-space-size=2', '--semi-space-growth-factor=1', '--heap-growing-percent=25'])
  setFlagsFromString(flag)
`
