import { onTestFinished } from 'vitest'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { apiUnderTest } from './api-under-test.ts'

const write = [
  'Dynamic URL Redirects Write',
  'Zone Transform Rules Write',
  'Cache Settings Write',
  'Zone WAF Write',
  'Account Rulesets Write',
  'Account Rule Lists Write',
]

export async function started(seed: SeedOptions = { permissions: write }) {
  const at = await apiUnderTest(seed)
  onTestFinished(() => at.api.close())
  const rulesets = `/zones/${at.zone}/rulesets`
  const entrypoint = (phase: string) => `${rulesets}/phases/${phase}/entrypoint`
  const redirects = entrypoint('http_request_dynamic_redirect')
  const refs = async () =>
    (await at.call('GET', redirects)).result.rules.map(({ ref }: { ref: string }) => ref)
  return { ...at, rulesets, entrypoint, redirects, refs }
}

export const redirect = (ref?: string, more: object = {}) => ({
  ...(ref === undefined ? {} : { ref }),
  description: 'Old links',
  expression: 'starts_with(http.request.uri.path, "/system/")',
  action: 'redirect',
  action_parameters: {
    from_value: { target_url: { value: 'https://files.example.com' }, status_code: 302 },
  },
  ...more,
})
