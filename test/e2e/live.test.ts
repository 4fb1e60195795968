import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../live/run.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-live-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function live(...args: string[]): Promise<{ code: unknown; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder }
  return new Promise((done) =>
    execFile(process.execPath, [script, ...args], { env, maxBuffer: 1e8 }, (error, _, stderr) =>
      done({ code: error === null ? 0 : error.code, stderr }),
    ),
  )
}

test('without its variables it does nothing, and names them', async () => {
  const { code, stderr } = await live()
  expect(code).toBe(2)
  for (const name of ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_ACCOUNT_ID', 'MASTODON_R2_LIVE_ZONE'])
    expect(stderr).toContain(`${name} is not set: `)
})

test('what runs against an account runs against the sandbox, leaves nothing, and tells whose it was to nobody', async () => {
  const out = join(folder, 'facts.json')
  const { code, stderr } = await live('--sandbox', '--out', out)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const text = readFileSync(out, 'utf8')
  const { against, runs, facts, left } = JSON.parse(text)
  expect({ against, left }).toEqual({ against: 'sandbox', left: [] })
  const commands = runs.map(({ command }: { command: string }) => command.split(' ')[0])
  expect([...new Set(commands)]).toEqual(['init', 'check', 'rotate', 'redirects', 'undo'])
  expect(Object.keys(facts)).toEqual([
    'hostTaken',
    'attachedTwice',
    'renameOfToken',
    'keyOfRenamedToken',
    'wrongToken',
    'notAllowed',
    'putWithCrc32',
    'headWithPartNumber',
    'corsOnCachedCopy',
  ])
  expect(text).not.toMatch(/example\.com|[0-9a-f]{32}|cfat_/)
})
