import { expect, test } from 'vitest'
import { openRedirectingServer } from './redirecting-server.ts'
test('try', { timeout: 120_000 }, async () => {
  const s = await openRedirectingServer()
  try {
    const show = async (args: string[], env = {}) => {
      const e = await s.redirects(args, { env })
      console.log(`$ redirects ${args.join(' ')} -> ${e.code}\n${e.stdout}\n--stderr\n${e.stderr}`, s.rules(), s.items())
    }
    await show(['--dry-run'])
    await s.copyAll()
    await show(['--dry-run'])
    await show(['--yes'])
    await show(['--yes'])
    await show(['--yes', '--engine', 'bulk'])
    await show(['--yes', '--engine', 'bulk'])
    await show(['--yes', '--remove'])
    await show(['--yes', '--remove'])
    await show(['--yes', '--engine', 'nginx'])
    await show(['--yes', '--engine', 'caddy', '--from', '/system/', '--from', 'https://old.example.org/bucket'])
    s.proxied(false)
    await show(['--yes'])
    await show(['--yes', '--engine', 'single'])
    await show(['--yes'], { CLOUDFLARE_API_TOKEN: '' })
  } finally { await s.close() }
})
