import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Host } from '../host.ts'

/** Milliseconds; it takes a few seconds against the sandbox. */
const SETTING_UP_MS = 120_000

/** Where a sandbox is reached. */
interface There {
  readonly cloudflareApiUrl: string
  readonly s3EndpointUrl: string
  readonly connectTo: readonly string[]
  readonly caFile: string
  /** Opens nothing but this sandbox. */
  readonly apiToken: string
}

/**
 * `init` in a sandbox, as a process of its own and without a question. `args`: where Mastodon is, and
 * what is wished. `folder`: what it writes besides the env file goes there. Throws Problem
 * `rehearsal-not-prepared`.
 */
export async function setUpThere(
  host: Host,
  {
    there,
    folder,
    args,
  }: { readonly there: There; readonly folder: string; readonly args: readonly string[] },
): Promise<void> {
  const { run } = await import('../services/process/run.ts')
  const routes = there.connectTo.flatMap((route) => ['--connect-to', route])
  const command = {
    program: host.execPath,
    args: [
      ...[host.script, 'init', '--yes', '--json', ...args],
      ...['--s3-endpoint-url', there.s3EndpointUrl, ...routes],
    ],
    env: {
      CLOUDFLARE_BASE_URL: there.cloudflareApiUrl,
      CLOUDFLARE_API_TOKEN: new Secret(there.apiToken),
      NODE_EXTRA_CA_CERTS: there.caFile,
    },
  }
  const { exitCode, stdout, stderr } = await run(command, {
    environment: { ...host.environment, XDG_STATE_HOME: folder },
    timeoutMs: SETTING_UP_MS,
    signal: host.interrupted,
    cwd: folder,
  })
  if (exitCode === 0) return
  const said = /"what": "(.*)"/.exec(stdout)?.[1] ?? stderr.trim().split('\n').at(-1) ?? ''
  throw new Problem({
    code: 'rehearsal-not-prepared',
    what: 'The bucket of the rehearsal could not be prepared.',
    why: `init said: ${said}`,
    next: prose`See what it says by itself: ${toType('init', { sandbox: true })}`,
  })
}
