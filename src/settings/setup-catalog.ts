import { catalog } from './catalog.ts'

const {
  // check only looks, so it has no use for what makes or writes things.
  existingMedia,
  edge,
  announce,
  waitDomain,
  print,
  format,
  dryRun,
  yes,
  sandbox,
  allowIp,
  expires,
  location,
  rotate,
  ...looking
} = catalog

/** The settings of `init`. */
export const initCatalog = catalog

/** The settings that `check` takes. */
export const checkCatalog: Partial<SetupCatalog> = looking

/** What stands above the plan. */
export const shownSettings = [
  'mediaHost',
  'bucket',
  'accountId',
  'jurisdiction',
  'location',
  'existingMedia',
  'corsOrigin',
  'edge',
  'allowIp',
  'expires',
] as const

export type SetupCatalog = typeof initCatalog
