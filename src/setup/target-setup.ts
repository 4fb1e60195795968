import type { Setup } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { MigrationTarget } from './target.ts'

/**
 * A setup as the env file has it, for commands that only use it. Token, owner and zone are blank: who
 * needs those asks Cloudflare.
 */
export function targetSetup(installation: Installation, target: MigrationTarget): Setup {
  const { accountId, bucket, mediaHost, endpoint, key } = target
  return {
    token: { id: '', kind: 'account', status: 'active' },
    owner: { kind: 'account', accountId },
    at: { accountId, bucket, jurisdiction: jurisdictionOf(target) },
    location: undefined,
    zone: {
      id: '',
      name: '',
      status: 'active',
      type: 'full',
      paused: false,
      account: { id: accountId, name: '' },
    },
    mediaHost,
    corsOrigins: ['*'],
    allowIps: [],
    keyExpiresOn: undefined,
    s3Endpoint: endpoint,
    waitDomainMs: 0,
    waitKeyMs: 0,
    installation,
    storage: 'switch',
    target: { kind: 'file', file: installation.envFile },
    knownKey: key,
  }
}

function jurisdictionOf({ jurisdiction }: MigrationTarget): Setup['at']['jurisdiction'] {
  const known = ['eu', 'us', 'fedramp', 'fedramp-high'] as const
  return known.find((name) => name === jurisdiction) ?? 'default'
}
