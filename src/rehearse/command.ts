import { once } from 'node:events'
import { jurisdictions } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import { shellWord } from '../core/shell-word.ts'
import { type CommandFlags, readerOf, renderText, type Text, toType } from '../core/to-type.ts'
import { gather } from '../flow/session.ts'
import type { Command, Host } from '../host.ts'
import type { Mastodon } from '../sandbox/mastodon/mastodon.ts'
import { hasSwitch } from '../settings/argv.ts'
import { bareProblem } from '../ui/words.ts'
import type { MastodonPaths, SandboxAddress } from './rehearsal.ts'
import { sandboxCatalog } from './settings.ts'

export const sandbox: Command = {
  async run(host, argv) {
    try {
      return await serve(host, argv)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { code, what } = error
      const told = (text: Text) => renderText(text, readerOf(host))
      if (hasSwitch(host, argv, sandboxCatalog.json))
        host.stdout.write(
          `${JSON.stringify({ code, what, why: told(error.why), next: told(error.next) })}\n`,
        )
      host.stderr.write(bareProblem(error, host))
      return error.exit
    }
  },
}

async function serve(host: Host, argv: readonly string[]): Promise<number> {
  const settings = await gather(host, 'sandbox', argv, { catalog: sandboxCatalog })
  const { isPassedOn } = await import('../services/process/environment.ts')
  host.keepEnvironment((name) => isPassedOn('node', name))
  const { startSandbox } = await import('../sandbox/sandbox.ts')
  const world = await startSandbox({
    zones: settings.need('zone').map((name) => ({ name })),
    tokenKind: settings.need('tokenKind'),
    domainMs: settings.need('domainDelay'),
    keyMs: settings.need('keyDelay'),
    requestMs: settings.need('requestDelay'),
    refusesParts: settings.on('refuseParts'),
    s3PerSecond: settings.get('rateLimit'),
    emulator: 'eager',
    mastodon: mastodonOf(host, settings.get('media'), settings.get('uploads')),
  })
  for (const name of settings.get('refuseStrangers') ?? []) world.world.edge.refuses.add(name)
  // Miniflare would end the process on Ctrl-C before anything is tidied up.
  host.keepSignals()
  try {
    const address: SandboxAddress = {
      cloudflareApiUrl: world.apiUrl,
      s3EndpointUrls: Object.fromEntries(jurisdictions.map((j) => [j, world.s3Url(j)])),
      connectTo: world.connectTo,
      caFile: world.caFile,
      apiToken: world.bootstrapToken.reveal(),
      ...(world.mastodon && { mastodon: pathsOf(world.mastodon) }),
    }
    host.stdout.write(settings.on('json') ? `${JSON.stringify(address)}\n` : words(address))
    await end(host, settings.on('attached'))
  } finally {
    await world.close()
  }
  return 0
}

function mastodonOf(host: Host, media: number | undefined, uploads: number | undefined) {
  if (media !== undefined) return { media, uploadsPerSecond: uploads ?? 0, node: host.execPath }
  if (uploads === undefined) return undefined
  throw new Problem({
    code: 'uploads-without-media',
    what: '--uploads needs --media.',
    why: 'There is no Mastodon that anybody could upload to.',
    next: 'Add --media 2000.',
    exit: 2,
  })
}

function pathsOf({ dir, bin, calls, uploads }: Mastodon): MastodonPaths {
  return { dir, bin, calls, uploads }
}

async function end(host: Host, attached: boolean): Promise<void> {
  const signals: Promise<unknown>[] = [once(host.interrupted, 'abort')]
  if (attached) {
    host.stdin.resume()
    signals.push(once(host.stdin, 'end'), once(host.stdin, 'close'))
  }
  await Promise.race(signals)
}

function words(address: SandboxAddress): string {
  const { cloudflareApiUrl, s3EndpointUrls, connectTo, caFile, apiToken, mastodon } = address
  const others = Object.entries(s3EndpointUrls).filter(([name]) => name !== 'default')
  const where = {
    ...(mastodon ? { mastodonDir: mastodon.dir } : { mastodonEnv: './try.env' }),
    ...(s3EndpointUrls.default && { s3EndpointUrl: s3EndpointUrls.default }),
    connectTo,
  }
  return `# A local Cloudflare is running until you press Ctrl-C. In another terminal:
export CLOUDFLARE_BASE_URL=${cloudflareApiUrl}
export CLOUDFLARE_API_TOKEN=${apiToken}
export NODE_EXTRA_CA_CERTS=${shellWord(caFile)}
${mastodon ? migration(mastodon, where) : toType('init', where)}

# S3 endpoints of the jurisdictions:
${others.map(([name, url]) => `#   ${name.padEnd(13)}${url}`).join('\n')}
# The requests it got: ${new URL('/sandbox/log', cloudflareApiUrl)}
`
}

type Where = Pick<
  CommandFlags['init'],
  'mastodonDir' | 'mastodonEnv' | 's3EndpointUrl' | 'connectTo'
>

function migration(mastodon: MastodonPaths, where: Where): string {
  return `export PATH=${shellWord(mastodon.bin)}:$PATH
${toType('init', { existingMedia: 'prepare', ...where })}
${toType('migrate', where)}

# What its systemctl and tootctl were asked: ${mastodon.calls}
# What was uploaded meanwhile: ${mastodon.uploads}`
}
