import { onTestFinished } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { NewRule } from '../../../src/services/cloudflare/port.ts'
import { apiUnderTest } from '../../sandbox/api/api-under-test.ts'

const permissions = [
  'Dynamic URL Redirects Write',
  'Zone Transform Rules Write',
  'Cache Settings Write',
  'Zone WAF Write',
  'Zone Settings Write',
  'Account Rulesets Write',
  'Account Rule Lists Write',
]

/** A client of the sandbox's API; sleeping moves its clock and takes no time. */
export async function rulesWorld(seed: SeedOptions = { permissions }) {
  const at = await apiUnderTest(seed)
  onTestFinished(() => at.api.close())
  const slept: number[] = []
  const client = connectCloudflare({
    token: new Secret(at.token),
    baseUrl: at.api.url,
    sleep: async (ms) => {
      slept.push(ms)
      at.time.now += ms
    },
  })
  const zone = { kind: 'zone', zoneId: at.zone } as const
  const account = { kind: 'account', accountId: at.account } as const
  const asked = () => at.log.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)
  return { ...at, client, slept, place: { zone, account }, asked }
}

export function ruleOf(ref: string, more: Partial<NewRule> = {}): NewRule {
  return {
    ref,
    description: 'Old links',
    expression: 'starts_with(http.request.uri.path, "/system/")',
    action: 'redirect',
    parameters: { from_value: { target_url: { value: 'https://files.example.com' } } },
    enabled: true,
    ...more,
  }
}
