import type { Sandbox } from '../../../src/sandbox/sandbox.ts'
import { type Visited, visit } from '../edge/visit.ts'

/** A page of the sandbox's Mastodon, as a browser gets it. */
export function visitInstance(sandbox: Sandbox, path: string, method = 'GET'): Promise<Visited> {
  const port = Number(sandbox.connectTo[0]?.split(':').at(-1))
  const host = sandbox.mastodon?.host ?? ''
  return visit({ port, ca: sandbox.caPem, host }, { path, method })
}
