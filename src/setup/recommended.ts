import { cacheEverything } from './cache-everything.ts'
import type { EdgeRule } from './edge-rule.ts'
import { privateFolders } from './private-folders.ts'
import { securityHeaders } from './security-headers.ts'

/** Every rule of this tool for the media host, in the order in which they are put there. */
export const recommended: readonly EdgeRule[] = [securityHeaders, cacheEverything, privateFolders]
