import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { apply } from '../../src/plan/apply.ts'
import type { Setup } from '../../src/plan/step.ts'
import type { CorsRule } from '../../src/services/cloudflare/port.ts'
import { printBlock } from '../../src/setup/formats.ts'
import { initSteps } from '../../src/setup/steps.ts'
import { terraform, terraformValues } from '../../src/setup/terraform.ts'
import { silent } from '../fakes/fake-steps.ts'
import { HOST, knownKey, mintedKey, printing, setupOf, worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'
import { readBy, terraformMissing, terraformValue, whereThere } from './real-reader.ts'
import { splitFiles } from './split-files.ts'

const toPrint = { target: printing } as const
const rules: readonly CorsRule[] = [
  { allowed: { origins: ['https://a.example', '*'], methods: ['PUT'], headers: ['x-${a}'] } },
  {
    id: 'mastodon-r2',
    allowed: { origins: ['*'], methods: ['GET', 'HEAD'] },
    exposeHeaders: ['ETag'],
    maxAgeSeconds: 86_400,
  },
]

async function printed(more: Partial<Setup> = {}) {
  const world = worldOf({ ...toPrint, ...more })
  await world.cloudflare.putCors(world.setup.at, [...rules])
  const { steps, block } = await printBlock('terraform-import', world.setup, initSteps)
  const own = steps.filter(({ id }) => id === 'terraform')
  const { facts, problem } = await apply(own, world, silent())
  expect(problem).toBeUndefined()
  return String(block({ ...facts, accessKey: mintedKey }))
}

/** The file as it is once its reader has removed the # in front of what may be imported later. */
const uncommented = (text: string) =>
  text.replace(/^# (?:import|resource) [\s\S]*?^# \}$/gm, (part) => part.replace(/^# ?/gm, ''))

describe('the steps', () => {
  test('none makes, tries or writes a key', async () => {
    const { steps } = await printBlock('terraform-import', setupOf(toPrint), initSteps)
    const [last, ...others] = steps.map(({ id }) => id).reverse()
    expect(last).toBe('terraform')
    const left = initSteps.map(({ id }) => id).filter((id) => !others.includes(id))
    expect(left).toEqual(['access-keys', 'upload-probe', 'public-read', 'env-file', 'key-in-use'])
  })

  test.each(['env', 'helm'] as const)('%s needs them all, and the key', async (format) => {
    const { steps, block } = await printBlock(format, setupOf(toPrint), initSteps)
    expect(steps).toEqual(initSteps)
    expect(block({})).toBeUndefined()
    expect(block({ accessKey: mintedKey })).toContain(mintedKey.accessKeyId)
  })

  test.each(['env', 'helm', 'terraform-import'] as const)(
    '%s prints nothing where a file is written',
    async (format) => {
      const { steps, block } = await printBlock(format, setupOf(), initSteps)
      expect(steps).toEqual(initSteps)
      expect(block({ accessKey: mintedKey })).toBeUndefined()
    },
  )

  test('the last one reads the CORS rules, once', async () => {
    const world = worldOf()
    await world.cloudflare.putCors(world.setup.at, [...rules])
    let kept: readonly CorsRule[] = []
    const step = terraform((read) => {
      kept = read
    })
    expect(found(await step.look(world))).toMatch(/^change print import blocks/)
    await step.change?.(world)
    expect(kept).toEqual(rules)
    expect(found(await step.look(world))).toMatch(/^ready/)
  })
})

describe('the file', () => {
  test('is the text that was looked through', async () => {
    const url = new URL('golden-formats/terraform-import.txt', import.meta.url)
    expect(await printed()).toBe(readFileSync(url, 'utf8'))
  })

  test('holds no key', async () => {
    const text = await printed({ knownKey })
    for (const part of [knownKey.accessKeyId, knownKey.secretAccessKey.reveal()])
      expect(text).not.toContain(part)
  })

  test.each([
    [
      'account',
      { kind: 'account', accountId: 'x' },
      /= cloudflare_account_token\.\w+\n# +id = "\w+\//,
    ],
    ['user', { kind: 'user' }, /= cloudflare_api_token\.\w+\n# +id = "AWS_/],
  ] as const)('names the token of the %s', async (_, owner, expected) => {
    expect(await printed({ owner })).toMatch(expected)
  })

  test('names the jurisdiction in every id', async () => {
    const at = { ...setupOf().at, jurisdiction: 'eu' as const }
    const place = `${at.accountId}/${at.bucket}/eu`
    const text = await printed({ at })
    expect(text).toContain(`id = "${place}"`)
    expect(text).toContain(`id = "${place}/${HOST}"`)
    expect(text).not.toContain('jurisdiction = "default"')
  })

  whereThere(terraformMissing)('is formatted as Terraform does it, the comments too', async () => {
    const text = await printed()
    const files = { 'all.tf': text, 'later.tf': uncommented(text) }
    expect(files['later.tf'].match(/^import \{/gm)).toHaveLength(3)
    expect(files['later.tf']).toMatch(/^resource "cloudflare_r2_custom_domain"/m)
    expect(readBy('terraform', ['fmt', '-check', '-diff', '.'], files)).toBe('')
    expect(splitFiles(text).size).toBe(3)
  })

  whereThere(terraformMissing)('says what Cloudflare said', () => {
    const values = terraformValues(setupOf(), rules)
    const { TOKEN_TYPE, CORS_RULES = '', ...texts } = values
    expect(terraformValue(CORS_RULES)).toEqual([
      {
        allowed: { origins: ['https://a.example', '*'], methods: ['PUT'], headers: ['x-${a}'] },
      },
      {
        id: 'mastodon-r2',
        allowed: { origins: ['*'], methods: ['GET', 'HEAD'] },
        expose_headers: ['ETag'],
        max_age_seconds: 86_400,
      },
    ])
    const { at, zone } = setupOf()
    const { accountId, bucket } = at
    expect(terraformValue(`[${Object.values(texts).join(', ')}]`)).toEqual([
      accountId,
      bucket,
      'default',
      `${accountId}/${bucket}/default`,
      HOST,
      `${accountId}/${bucket}/default/${HOST}`,
      zone.id,
      `${accountId}/AWS_ACCESS_KEY_ID`,
    ])
    expect(TOKEN_TYPE).toBe('cloudflare_account_token')
  })

  test('a bucket without rules', () => {
    expect(terraformValues(setupOf(), []).CORS_RULES).toBe('[]')
  })
})
