import { describe, expect, it } from 'vitest'
import { storageBlock } from '../../src/flow/mastodon-here.ts'
import { envWriter } from '../../src/flow/world.ts'
import type { Setup } from '../../src/plan/step.ts'
import { envFile } from '../../src/setup/env-file.ts'
import {
  envFileOf,
  installationOf,
  knownKey,
  mintedKey,
  setupOf,
  worldOf,
} from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'

/** The real editor and template in a world of fakes. */
async function worldWith(text: string, more: Partial<Setup> = {}) {
  const file = envFileOf(text)
  const installation = installationOf({ envFile: file, envFiles: [file] })
  return { ...worldOf({ installation, ...more }), envWriter: await envWriter() }
}

const values = storageBlock(setupOf(), knownKey)
const proven = { accessKey: mintedKey, keyProven: true, publicProven: {} } as const

describe('the env writer', () => {
  it('renders the block that stands in the file afterwards', async () => {
    const { edit, render } = await envWriter()
    const block = render(values)
    for (const [name, value] of values) expect(block.split('\n')).toContain(`${name}=${value}`)
    expect(edit('', values, [])).toContain(block.trim())
    expect(edit(edit('A=1\n', values, []), values, [])).toBe(edit('A=1\n', values, []))
  })

  it('shows no key in the diff', async () => {
    const { edit, diff } = await envWriter()
    const lines = diff('A=1\n', edit('A=1\n', values, [])).join('\n')
    expect(lines).toContain('S3_BUCKET=example-media')
    for (const secret of ['1'.repeat(32), '2'.repeat(64)]) expect(lines).not.toContain(secret)
  })

  it('the step is ready for what it wrote', async () => {
    const { edit } = await envWriter()
    const before = await worldWith('A=1\n')
    expect(found(await envFile.look(before))).toBe('waiting accessKey')
    expect(found(await envFile.look({ ...before, facts: proven }))).toMatch(/^change change the/)
    const after = await worldWith(edit('A=1\n', values, []))
    expect(found(await envFile.look({ ...after, facts: proven }))).toMatch(/^ready .* holds/)
  })

  it('a file that can’t be edited is found out before a key is made', async () => {
    const others = [...values].filter(([name]) => name !== 'S3_PERMISSION')
    const lines = others.map(([name, value]) => `${name}=${value}`)
    const world = await worldWith([...lines, 'S3_PERMISSION=x', "''", ''].join('\n'))
    expect((await problemOf(envFile.look(world))).code).toBe('env-file-tangled')
  })
})
