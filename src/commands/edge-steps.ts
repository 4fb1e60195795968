import { cacheEverything } from '../plan/edge-rules/cache-everything.ts'
import { privateFolders } from '../plan/edge-rules/private-folders.ts'
import { securityHeaders } from '../plan/edge-rules/security-headers.ts'
import type { Step } from '../plan/step.ts'
import type { EdgeName } from '../settings/edge-names.ts'
import { keepRule } from '../steps/edge/keep-rule.ts'
import { tieredCache } from '../steps/edge/tiered-cache.ts'

const makers: Record<EdgeName, () => Step> = {
  'security-headers': () => keepRule(securityHeaders),
  'cache-everything': () => keepRule(cacheEverything),
  'private-folders': () => keepRule(privateFolders),
  'tiered-cache': tieredCache,
}

/** Fresh steps for what `--edge` wishes; a run needs its own, as they remember what they did. */
export function edgeSteps(wished: readonly EdgeName[]): readonly Step[] {
  return wished.map((name) => makers[name]())
}
