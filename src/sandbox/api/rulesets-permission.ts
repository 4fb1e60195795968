import { accountPhases, type Phase, zonePhases } from '../edge/state.ts'
import { isPermitted, type Resource } from './permits.ts'
import { Refusal } from './refusal.ts'
import type { ApiContext, ApiRequest } from './request.ts'

/** The permission groups that open each phase, without Read and Write at their end. */
const groups: Readonly<Record<Phase, readonly string[]>> = {
  http_request_dynamic_redirect: ['Dynamic URL Redirects'],
  http_response_headers_transform: ['Zone Transform Rules'],
  http_request_cache_settings: ['Cache Settings'],
  http_request_firewall_custom: ['Zone WAF'],
  http_request_redirect: ['Account Rulesets', 'Mass URL Redirects'],
}

/** Whom the rulesets of a path belong to: a zone or an account, by id. */
export function ownerOf({ params }: ApiRequest): string {
  return params.zone ?? params.account ?? ''
}

/** The phase by its name, where it fits a zone or an account. */
export function phaseNamed(request: ApiRequest, name: unknown): Phase {
  const fitting: readonly Phase[] = request.params.zone === undefined ? accountPhases : zonePhases
  const known = fitting.find((phase) => phase === name)
  if (known === undefined) throw new Refusal('ruleset-phase', String(name))
  return known
}

/** Refuses a token that may not do this to rules of the phase; writing includes reading. */
export function permit(
  { world }: ApiContext,
  request: ApiRequest,
  phase: Phase,
  doing: 'Read' | 'Write',
): void {
  const names = groups[phase].flatMap((group) => [
    `${group} Write`,
    ...(doing === 'Read' ? [`${group} Read`] : []),
  ])
  if (!isPermitted(request.actor, names, resourceOf(world.zones, request))) {
    throw new Refusal('not-permitted')
  }
}

function resourceOf(zones: ApiContext['world']['zones'], { params }: ApiRequest): Resource {
  const { account = '', zone } = params
  if (zone === undefined) return { is: 'account', id: account }
  const accountId = zones.find(({ id }) => id === zone)?.accountId ?? ''
  return { is: 'zone', id: zone, accountId }
}
