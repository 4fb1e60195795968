import { expect, test } from 'vitest'
import { envLines } from '../../../src/check/fix/env-files.ts'
import { Problem } from '../../../src/core/problem.ts'
import type { EnvWriter, World } from '../../../src/plan/step.ts'
import type { EnvFileOnDisk } from '../../../src/services/mastodon/port.ts'

const details = { code: 'env-file-changed', what: 'C.', why: 'W.', next: 'N.', exit: 2 } as const

test.each([
  ['the first: nothing was changed', '/a/.env', 2],
  ['the second: the first was changed', '/b/.env', 1],
])('of two files one is refused, %s', async (_, refused, exit) => {
  const files = ['/a/.env', '/b/.env'].map((path) => ({ path, text: 'S3_REGION=\n' }))
  const envWriter = {
    edit: (text: string) => `${text}#`,
    diff: () => [],
    async write({ path }: EnvFileOnDisk) {
      if (path === refused) throw new Problem(details)
      return { backup: `${path}.bak` }
    },
  } as unknown as EnvWriter
  const edits = files.map((file) => ({ file: file as EnvFileOnDisk, set: new Map(), retire: [] }))
  const change = envLines(edits).change?.({ envWriter } as World)
  await expect(change).rejects.toMatchObject({ ...details, exit })
})
