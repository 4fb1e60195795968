import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { refuseOfOtherStage } from '../../src/leave/line.ts'
import { type LeaveStage, leaveCatalog } from '../../src/leave/settings.ts'
import { Settings } from '../../src/settings/resolve.ts'

async function refusal(flags: Readonly<Record<string, string | true>>) {
  const settings = await Settings.resolve(leaveCatalog, {
    flags: new Map(Object.entries(flags)),
    environment: {},
    answers: new Map(),
    readFile: async () => 'x'.repeat(40),
  })
  try {
    refuseOfOtherStage(settings, settings.need('stage') as LeaveStage)
  } catch (error) {
    if (error instanceof Problem) return `${error.what} ${error.why} ${error.next}`
    throw error
  }
  return undefined
}

test.each<[string, Readonly<Record<string, string | true>>, string]>([
  ['--undo', { undo: true }, 'leave --undo --stage redirects'],
  ['--assume-restarted', { assumeRestarted: true }, 'leave --assume-restarted --stage redirects'],
  ['--checksum', { stage: 'copy', checksum: true }, 'leave --checksum --stage compare'],
  ['--transfers', { transfers: '8' }, 'leave --transfers 8 --stage copy'],
  ['--stop', { stop: true, transfers: '8' }, 'leave --transfers 8 --stop --stage cutover'],
  [
    '--undo',
    { undo: true, to: 's3', toEnv: 'n' },
    'leave --to s3 --to-env n --undo --stage redirects',
  ],
  ['--to-env', { toEnv: 'next.env' }, 'leave --to-env next.env --stage survey --to s3'],
])('%s is refused with the line that it belongs to', async (flag, flags, line) => {
  const words = await refusal(flags)
  expect(words).toContain(`${flag} would have no effect here. It belongs to --`)
  expect(words).toMatch(new RegExp(`type what it belongs to:\\n {2}npx mastodon-r2 ${line}$`))
})

test('and with its stage it is not', async () => {
  expect(await refusal({ undo: true, stage: 'redirects' })).toBeUndefined()
})
