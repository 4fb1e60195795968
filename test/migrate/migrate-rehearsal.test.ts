import { expect, test } from 'vitest'
import { rehearsedStages } from '../../src/migrate/rehearsal.ts'
import type { Stage } from '../../src/settings/stages.ts'

test.each<[named: Stage | undefined, dryRun: boolean, stages: string]>([
  [undefined, false, 'survey announce copy cutover compare'],
  [undefined, true, 'survey'],
  ['survey', false, 'survey'],
  ['cleanup', true, 'cleanup'],
  ['copy', false, 'copy'],
  ['cutover', true, 'copy cutover'],
  ['compare', false, 'copy cutover compare'],
])('%s (dry run: %s) goes through %s', (named, dryRun, stages) => {
  expect(rehearsedStages(named, dryRun).join(' ')).toBe(stages)
})
