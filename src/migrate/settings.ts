import { catalog, runFlags } from '../settings/catalog.ts'
import { movingCatalog, whole } from '../settings/moving.ts'
import { type FlagsOf, flag, oneOf, setting, type Zod } from '../settings/setting.ts'
import { stages } from '../settings/stages.ts'

/** `/` at the start is a slip; a prefix is what keys begin with. */
const prefixes = (z: Zod) =>
  z.array(
    z
      .string()
      .min(1, 'is empty')
      .refine((value) => !value.startsWith('/') && !value.includes('//'), {
        error: ({ input }) => `"${String(input)}" is not the beginning of a key such as cache/`,
      }),
  )

/** To rclone a number alone is KiB, and 0 is no limit: nobody means that who gives one. */
const bandwidth = (z: Zod) =>
  z
    .string()
    .regex(
      /^(?=[\d.]*[1-9])\d+(\.\d+)?[BKMG](:(?=[\d.]*[1-9])\d+(\.\d+)?[BKMG])?$/i,
      'is not a rate such as 8M (mebibytes a second) or 512K',
    )

/** `none`, or how many files may be missing when Mastodon is switched. */
const loss = (z: Zod) =>
  z.union([z.literal('none').transform(() => 0), whole(0, 1_000_000)(z)], {
    error: 'must be none or a number of files',
  })

const clean = { answerable: false, group: 'How to clean up' } as const
const what = { group: 'What to migrate' } as const

const own = {
  stage: setting({
    flag: '--stage',
    value: 'NAME',
    help: `one stage alone: ${stages.join(', ')}`,
    rule: oneOf(stages),
    fallbackHelp: 'the first that is not done',
    ...what,
  }),
  from: setting({
    flag: '--from',
    value: 'local|s3',
    help: "where the media is: this machine's public/system, or the S3 provider in the env file",
    rule: oneOf(['local', 's3']),
    fallbackHelp: 'what Mastodon uses now',
    ...what,
  }),
  engine: setting({
    flag: '--engine',
    value: 'rclone|super-slurper',
    help: "what carries it: rclone on this machine, or Cloudflare's Super Slurper (only --from s3)",
    rule: oneOf(['rclone', 'super-slurper']),
    fallback: 'rclone',
    ...what,
  }),
  slurper: setting({
    flag: '--slurper',
    value: 'pause|abort',
    help: 'hold or end the jobs of Super Slurper; what is copied stays',
    rule: oneOf(['pause', 'abort']),
    answerable: false,
    ...what,
  }),
  onlyLocal: setting({
    flag: '--only-local',
    help: 'leave out cache/: media of other servers, which Mastodon can fetch again',
    rule: flag,
    ...what,
  }),
  skip: setting({
    flag: '--skip',
    value: 'PREFIX',
    help: 'leave out keys that begin so; may be given several times',
    rule: prefixes,
    repeatable: true,
    ...what,
  }),
  withPrivate: setting({
    flag: '--with-private',
    help: 'copy backups/ and imports/ too; who knows an address there could read it',
    rule: flag,
    ...what,
  }),
  withSuspended: setting({
    flag: '--with-suspended',
    help: 'copy media of suspended users too (files with mode 0600); that publishes it',
    rule: flag,
    ...what,
  }),
  withRemoved: setting({
    flag: '--with-removed',
    help: 'copy again what Mastodon has removed from the bucket since the switch; that publishes it',
    rule: flag,
    ...what,
  }),
  transfers: movingCatalog.transfers,
  bwlimit: setting({
    flag: '--bwlimit',
    value: 'RATE',
    help: 'at most so many bytes a second, e.g. 8M',
    rule: bandwidth,
    fallbackHelp: 'no limit',
    ...what,
  }),
  checksum: setting({
    flag: '--checksum',
    help: 'compare contents (MD5) too; reads every file',
    rule: flag,
    ...what,
  }),
  headers: setting({
    flag: '--headers',
    help: 'compare: look at the headers of 50 objects too; the cut-over always does',
    rule: flag,
    ...what,
  }),
  removeExtras: setting({
    flag: '--remove-extras',
    help: 'compare: remove from the bucket what this migration put there and is gone at the source',
    rule: flag,
    ...what,
  }),
  cleanMedia: setting({
    flag: '--clean-media',
    value: 'DAYS',
    help: "tootctl media remove: other servers' attachments older than that; 0 is all",
    rule: whole(0, 36_500),
    ...clean,
  }),
  cleanProfiles: setting({
    flag: '--clean-profiles',
    help: 'tootctl media remove --prune-profiles: pictures of accounts that nobody here follows',
    rule: flag,
    ...clean,
  }),
  cleanCards: setting({
    flag: '--clean-cards',
    value: 'DAYS',
    help: 'tootctl preview_cards remove: pictures of link previews older than that',
    rule: whole(0, 36_500),
    ...clean,
  }),
  cleanOrphans: setting({
    flag: '--clean-orphans',
    help: 'tootctl media remove-orphans: files that the database does not know',
    rule: flag,
    ...clean,
  }),
  cleanCache: setting({
    flag: '--clean-cache',
    help: 'all media of other servers, which has to be done before --only-local leaves cache/ out',
    rule: flag,
    ...clean,
  }),
  noDowntime: movingCatalog.noDowntime,
  stop: movingCatalog.stop,
  maxLoss: setting({
    flag: '--max-loss',
    value: 'none|N',
    help: 'how many files may still be missing when Mastodon is switched',
    rule: loss,
    fallback: 'none',
    group: 'How to cut over',
  }),
} as const

/** Everything that finds a setup, and what `migrate` adds. */
export const migrateCatalog = { ...catalog, ...own } as const

/** The settings that `migrate` takes. */
export const migrateFlags = {
  ...own,
  ...runFlags,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
  mediaDir: catalog.mediaDir,
  apiToken: { ...catalog.apiToken, help: 'file with a Cloudflare API token; for Super Slurper' },
  yes: { ...catalog.yes, help: 'agree to the plan; the cut-over has to be named: --stage cutover' },
  sandbox: catalog.sandbox,
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    migrate: FlagsOf<typeof migrateFlags>
  }
}
