import { catalog, lookingCatalog as looking } from '../settings/catalog.ts'
import { type FlagsOf, flag, setting } from '../settings/setting.ts'

const quick = setting({
  flag: '--quick',
  help: 'only look: no test file is uploaded, so less is seen',
  rule: flag,
  answerable: false,
  group: 'Output',
})

/** The settings of `check`: those of a setup, so that Cloudflare's side can be looked at. */
export const checkCatalog = { ...catalog, quick }

/** The ones that have a flag. */
export const checkFlags: Partial<CheckCatalog> = { ...looking, quick }

export type CheckCatalog = typeof checkCatalog

declare module '../core/to-type.ts' {
  interface CommandFlags {
    check: FlagsOf<typeof looking & { quick: typeof quick }>
  }
}
