import type { MigrateRun } from './prepare.ts'

/** What both commands call by the same name; `--engine` and `--from` mean other things there. */
const shared = new Set([
  'mastodonDir',
  'envFile',
  'accountId',
  'cloudflareApiUrl',
  's3EndpointUrl',
  'connectTo',
  'dryRun',
  'yes',
  'json',
  'quiet',
  'verbose',
  'noColor',
])

/** The last stage is a command of its own. */
export async function redirectsStage({ host, settings }: MigrateRun): Promise<number> {
  const { redirects } = await import('../redirects/redirects.ts')
  return redirects.run(host, [...given(settings), ...tokenFile(host.argv)])
}

function given(settings: MigrateRun['settings']): string[] {
  return settings.entries().flatMap(([name, { value, text, source }]) => {
    if (!shared.has(name) || source === 'default') return []
    const flag = settings.flag(name as Parameters<typeof settings.flag>[0])
    if (value === true) return [flag]
    const texts = Array.isArray(text) ? text : [String(text)]
    return texts.flatMap((one) => [flag, one])
  })
}

/** The token's file is named again; its text is nobody's argument. */
function tokenFile(argv: readonly string[]): string[] {
  const flag = '--api-token-file'
  const at = argv.indexOf(flag)
  const joined = argv.find((word) => word.startsWith(`${flag}=`))
  if (joined !== undefined) return [joined]
  const path = at < 0 ? undefined : argv[at + 1]
  return path === undefined ? [] : [flag, path]
}
