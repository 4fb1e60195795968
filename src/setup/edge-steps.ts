import type { Step } from '../plan/step.ts'
import type { EdgeName } from '../settings/edge-names.ts'
import { cacheEverything } from './cache-everything.ts'
import { keepRule } from './edge.ts'
import { privateFolders } from './private-folders.ts'
import { securityHeaders } from './security-headers.ts'
import { tieredCache } from './tiered-cache.ts'

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
