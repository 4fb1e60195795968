import type { Host } from './host.ts'
import type { Catalog } from './settings/setting.ts'

/** What can be told of a command besides its name and its line. */
export interface Topic {
  readonly catalog: Catalog
  /** What somebody wants, and the line to type. */
  readonly examples: readonly (readonly [want: string, line: string])[]
  /** The page about it, from the project's folder. */
  readonly docs: string
}

/** Undefined for a command that takes no flags. Only what is asked for is loaded. */
export async function topicOf(
  name: string,
  host?: Pick<Host, 'userId' | 'program'>,
): Promise<Topic | undefined> {
  const catalog = await catalogOf(name)
  if (!catalog) return undefined
  const docs = name === 'sandbox' ? 'docs/init.md' : `docs/${name}.md`
  return { catalog, examples: await examplesOf(name, host), docs }
}

async function catalogOf(name: string): Promise<Catalog | undefined> {
  if (name === 'init') return (await import('./settings/catalog.ts')).catalog
  if (name === 'check') return (await import('./check/settings.ts')).checkFlags
  if (name === 'usage') return (await import('./usage/settings.ts')).usageFlags
  if (name === 'purge') return (await import('./purge/settings.ts')).purgeFlags
  if (name === 'migrate') return (await import('./migrate/settings.ts')).migrateFlags
  if (name === 'redirects') return (await import('./redirects/settings.ts')).redirectsFlags
  if (name === 'leave') return (await import('./leave/settings.ts')).leaveFlags
  if (name === 'rotate') return (await import('./rotate/settings.ts')).rotateFlags
  if (name === 'undo') return (await import('./undo/settings.ts')).undoSettings
  if (name === 'sandbox') return (await import('./rehearse/settings.ts')).sandboxCatalog
  return undefined
}

/** As values of the catalogs, so that no flag is named that the command does not have. */
async function examplesOf(
  name: string,
  host: Pick<Host, 'userId' | 'program'> | undefined,
): Promise<Topic['examples']> {
  const { readerOf, renderText, toType } = await import('./core/to-type.ts')
  const lines = {
    init: [
      ['step by step, with questions; nothing changes before a yes', toType('init')],
      ['rehearse it all; nothing leaves this machine', toType('init', { sandbox: true })],
      [
        'without questions; the token is in CLOUDFLARE_API_TOKEN',
        toType('init', { mediaHost: 'files.example.com', yes: true }),
      ],
    ],
    check: [
      ['look at everything, the worst first', toType('check')],
      ['put right what can be put right safely', toType('check', { fix: true })],
      ['one line for Nagios, Icinga and the like', toType('check', { format: 'nagios' })],
    ],
    usage: [
      ['what is stored; with a token in CLOUDFLARE_API_TOKEN the bill, too', toType('usage')],
      ['the same as numbers, for graphs', toType('usage', { json: true })],
      ['one line for a mail of the month', toType('usage', { quiet: true })],
    ],
    purge: [
      [
        'all sizes of a picture, out of the cache',
        toType('purge', { address: 'https://files.example.com/KEY' }),
      ],
      [
        'the media of a post, for good',
        toType('purge', { address: '/@somebody/1', andDelete: true }),
      ],
      [
        'what was deleted this week, out of the cache as well',
        toType('purge', { deletedSince: '7d', dryRun: true }),
      ],
    ],
    migrate: [
      ['see what is there, and go on with the first stage that is not done', toType('migrate')],
      ['copy while Mastodon runs, as often as you like', toType('migrate', { stage: 'copy' })],
      ['rehearse it on a small Mastodon that is made for it', toType('migrate', { sandbox: true })],
    ],
    redirects: [
      ['lead /system/ of the instance to the media host', toType('redirects')],
      ['print what belongs into nginx', toType('redirects', { via: 'nginx' })],
      ['take the redirects away', toType('redirects', { remove: true })],
    ],
    undo: [
      ['see what would be taken back', toType('undo', { dryRun: true })],
      ['put the env file back and remove the keys', toType('undo')],
      [
        'the bucket as well, if nothing is in it',
        toType('undo', { detachDomain: true, deleteEmptyBucket: true }),
      ],
    ],
    leave: [
      ['see what would come back; nothing is changed', toType('leave')],
      ['switch Mastodon to the disk, nothing lost', toType('leave', { stage: 'cutover' })],
      ['or on to another S3 provider', toType('leave', { to: 's3', toEnv: 'next.env' })],
    ],
    rotate: [
      ['replace the key; the old one goes an hour later', toType('rotate')],
      ['remove the old key at once', toType('rotate', { grace: '0s' })],
      ['print a timer that rotates by itself', toType('rotate', { schedule: true })],
    ],
    sandbox: [
      ['a Cloudflare with example.com', toType('sandbox')],
      ['another domain', toType('sandbox', { zone: 'example.org' })],
      [
        'with a Mastodon whose users upload meanwhile',
        toType('sandbox', { media: '2000', uploads: '5/s' }),
      ],
    ],
  } as const
  const found = Object.hasOwn(lines, name) ? lines[name as keyof typeof lines] : []
  const reader = host && readerOf(host)
  const rehearses = host === undefined || host.program[0] === 'npx'
  return found
    .filter(([, { flags }]) => rehearses || flags.sandbox === undefined)
    .map(([want, line]) => [want, renderText(line, reader)])
}
