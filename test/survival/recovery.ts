import { inspect } from 'node:util'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { secretOf } from './converged.ts'

/** What a broken run left: the account at Cloudflare, and whatever else the next run can see. */
interface Left {
  readonly sandbox: Sandbox
  readonly [other: string]: unknown
}

/**
 * Tries a recovery once for each state that a broken run leaves. A run knows nothing but the account
 * and the machine: from two that are alike but for ids and times it takes the same way.
 */
export function recoveries() {
  const tried = new Map<string, Promise<void>>()
  return (left: Left, recover: () => Promise<void>): Promise<void> => {
    const state = stateOf(left)
    const found = tried.get(state) ?? recover()
    tried.set(state, found)
    return found
  }
}

/** Ids are told by the order in which they come, so that what was the same stays so. */
function stateOf({ sandbox, ...others }: Left): string {
  const { zones, buckets, dnsRecords, tokens, edge } = sandbox.world
  const secrets = tokens.map(({ value }) => secretOf(value))
  const all = { zones, buckets, dnsRecords, tokens, edge, secrets, ...others }
  const ids = new Map<string, string>()
  const named = (id: string) => {
    if (!ids.has(id)) ids.set(id, `ID ${ids.size}`)
    return ids.get(id) ?? ''
  }
  return inspect(all, { depth: null, maxStringLength: null, maxArrayLength: null })
    .replaceAll(/[0-9a-f]{16,}/g, named)
    .replaceAll(/\d{4}-?\d\d-?\d\d[ T][\da-f:.]+(Z(-\d+)?)?|\b\d{13}\b/g, 'TIME')
}
