import { sharedLook } from '../../core/once.ts'
import type { World } from '../../plan/step.ts'
import type { Plan } from '../../plan/survey.ts'
import type { Check } from '../../plan/verdict.ts'
import { edgeRulesCheck } from './edge-rules.ts'
import { keyExpiryCheck } from './key-expiry.ts'
import { findKeyInUse } from './key-in-use.ts'
import { keyRightsCheck } from './key-rights.ts'
import { extraKeysCheck } from './keys.ts'
import { type SurveyCheck, surveyCheck } from './survey-check.ts'
import { zoneCheck } from './zone.ts'

const surveyed: readonly SurveyCheck[] = [
  {
    step: 'bucket',
    title: 'Bucket at Cloudflare',
    severity: 'fault',
    matters: 'The bucket is not there, so there is no place for uploads.',
  },
  {
    step: 'media-domain',
    title: 'Custom domain',
    severity: 'fault',
    matters: "Visitors can't load media until the host serves the bucket.",
  },
  {
    step: 'cors',
    title: 'CORS rule',
    severity: 'fault',
    matters:
      'Without it audio never plays, and images fail on reload (Mastodon 4.2 and newer): browsers block them.',
  },
  {
    step: 'lifecycle',
    title: 'Lifecycle rule',
    severity: 'warning',
    matters: 'Uploads that broke off would be stored, and paid for, without end.',
  },
  {
    step: 'dev-url',
    title: 'r2.dev address',
    severity: 'warning',
    matters:
      'It is a second way to every file: throttled, not cached, and past all rules of your domain.',
  },
  {
    step: 'key-in-use',
    title: 'Name of the key',
    severity: 'warning',
    matters: 'Its name still says that the setup did not finish.',
  },
]

/**
 * What Cloudflare's API tells about the setup. `world` is the installer's; `plan` is what it would
 * do there, looked at once.
 */
export function cloudflareChecks(world: World, plan: () => Promise<Plan>): readonly Check[] {
  const find = sharedLook((_: undefined) => findKeyInUse(world))
  const key = () => find(undefined)
  return [
    zoneCheck(world),
    ...surveyed.map((check) => surveyCheck(plan, check)),
    edgeRulesCheck(world),
    keyRightsCheck(key, world),
    keyExpiryCheck(key, world),
    extraKeysCheck(world),
  ]
}
