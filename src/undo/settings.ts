import { catalog, rehearsedHelp, runFlags } from '../settings/catalog.ts'
import { type FlagsOf, flag, setting } from '../settings/setting.ts'

const group = 'What to take back'

const own = {
  detachDomain: setting({
    flag: '--detach-domain',
    help: 'take the media host off the bucket: media stops being served',
    rule: flag,
    group,
  }),
  deleteEmptyBucket: setting({
    flag: '--delete-empty-bucket',
    help: 'delete the bucket if nothing is in it; a bucket with media always stays',
    rule: flag,
    group,
  }),
  evenIfInUse: setting({
    flag: '--even-if-in-use',
    help: 'remove keys (and the domain, with its flag) although Mastodon stores its media there now, or redirects need it',
    rule: flag,
    group,
  }),
  dropEdgeRules: setting({
    flag: '--drop-edge-rules',
    help: 'remove the rules of --edge although the media host goes on serving; else they go with it',
    rule: flag,
    group,
  }),
} as const

const remembered = { fallbackHelp: 'from the env file or a backup', group } as const

/** Everything that finds a setup, and what `undo` adds. */
export const undoCatalog = { ...catalog, ...own } as const

/** The settings that `undo` takes. */
export const undoSettings = {
  ...own,
  mediaHost: { ...catalog.mediaHost, help: 'the media host that was set up', ...remembered },
  bucket: { ...catalog.bucket, help: 'the bucket that was set up', ...remembered },
  jurisdiction: {
    ...catalog.jurisdiction,
    help: 'the jurisdiction of the bucket: default, eu, us, fedramp or fedramp-high',
    ...remembered,
  },
  apiToken: {
    ...catalog.apiToken,
    help: 'file with a Cloudflare API token (- reads standard input); never stored',
  },
  ...runFlags,
  sandbox: { ...catalog.sandbox, help: rehearsedHelp },
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file to put back' },
  yes: { ...catalog.yes, help: 'agree to the plan; what destroys something needs its flag, too' },
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    undo: FlagsOf<typeof undoSettings>
  }
}
