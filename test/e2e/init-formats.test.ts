import { afterAll, describe, expect, test } from 'vitest'
import { blockForms } from '../../src/setup/formats.ts'
import { keysOf, openStage } from './stage.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

async function printed(format: string, more: readonly string[] = []) {
  const bucket = `as-${format}`
  const host = `${format}.example.com`
  const at = stage.machine()
  const before = at.files()
  const args = ['--media-host', host, '--bucket', bucket, '--print', '--format', format, ...more]
  const ended = await stage.initHere(at, args)
  expect(ended).toMatchObject({ code: 0 })
  expect(at.files()).toEqual(before)
  return { ...ended, bucket, host, keys: keysOf(stage.sandbox, bucket) }
}

describe.concurrent('init --print --format', () => {
  test.each(Object.keys(blockForms))(
    '%s: the new key stands on stdout, once, and nowhere else',
    async (format) => {
      const { stdout, stderr, keys } = await printed(format)
      expect(keys).toHaveLength(1)
      for (const text of [keys[0]?.id, keys[0]?.secret].map(String)) {
        expect(stdout.split(text)).toHaveLength(2)
        expect(stderr).not.toContain(text)
      }
      const tellsHow = format !== 'env' && format !== 'json'
      expect(stderr.includes('Restart Mastodon')).toBe(!tellsHow)
    },
  )

  test('terraform-import: no key is made', async () => {
    const { stdout, stderr, keys, bucket, host } = await printed('terraform-import')
    expect(keys).toEqual([])
    expect(stdout).toContain(`name         = "${bucket}"`)
    expect(stdout).toContain('id              = "mastodon-r2"')
    expect(stderr).not.toContain('Restart Mastodon')
    const domains = stage.sandbox.world.buckets.filter(({ name }) => name === bucket)
    expect(JSON.stringify(domains)).toContain(host)
  })
})
