import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkFlags } from '../../src/check/settings.ts'
import { migrateFlags } from '../../src/migrate/settings.ts'
import { redirectsFlags } from '../../src/redirects/settings.ts'
import { sandboxCatalog } from '../../src/rehearse/settings.ts'
import { rotateFlags } from '../../src/rotate/settings.ts'
import { catalog } from '../../src/settings/catalog.ts'
import type { Catalog } from '../../src/settings/setting.ts'
import { undoSettings } from '../../src/undo/settings.ts'
import { findNode } from './node-release.ts'
import { runProgram } from './program.ts'

const catalogs: readonly Catalog[] = [
  catalog,
  checkFlags,
  migrateFlags,
  redirectsFlags,
  rotateFlags,
  sandboxCatalog,
  undoSettings,
]
const settings = catalogs.flatMap((flags) => Object.values(flags))
const flags = [...new Map(settings.map((setting) => [setting.flag, setting])).values()]
/** What npx is given behind the name of the program; no value is a file that exists. */
const given = [
  'init',
  ...flags.flatMap(({ flag, value }) => (value === undefined ? [flag] : [flag, 'no/such/file'])),
]

const releases = [
  { range: 'of this run', path: process.execPath, why: '' },
  ...(await Promise.all(
    ['20.19.0', '22', '24'].map(async (range) => ({ range, ...(await findNode(range)) })),
  )),
]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-npx-'))
  const bin = join(folder, 'node_modules/.bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{}')
  // Stands where npx finds the program of an installed package, and says what reaches it.
  await writeFile(join(bin, 'mastodon-r2'), `#!/bin/sh\nprintf '%s\\n' "$@"\n`)
  await chmod(join(bin, 'mastodon-r2'), 0o755)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function npx(node: string, args: readonly string[]) {
  const env = { PATH: `${dirname(node)}:${process.env.PATH}` }
  const { code, stdout, stderr } = await runProgram('npx', ['mastodon-r2', ...args], {
    cwd: folder,
    env,
  })
  return { code, stderr, words: stdout.trimEnd().split('\n') }
}

describe.each(releases)('npx on Node $range $why', ({ path }) => {
  test.skipIf(path === undefined)('hands every flag of ours on', async () => {
    const { code, words, stderr } = await npx(String(path), given)
    expect({ code, words, stderr }).toMatchObject({ code: 0, words: given })
  })
})

test('no flag of ours begins as one of Node that is read behind a script', () => {
  expect(flags.map(({ flag }) => flag).filter((flag) => flag.startsWith('--env-file'))).toEqual([])
})
