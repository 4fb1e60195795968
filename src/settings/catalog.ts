import { jurisdictions } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import {
  bucketName,
  connectTo,
  edgeTime,
  edgeWish,
  hostName,
  tidyBucket,
  tidyHost,
} from './names.ts'
import { contradiction } from './no-effect.ts'
import { outputCatalog } from './output.ts'
import type { Settings } from './resolve.ts'
import {
  apiToken,
  cidrs,
  cloudflareId,
  duration,
  endpointUrl,
  expiry,
  type FlagsOf,
  flag,
  oneOf,
  origins,
  setting,
  text,
  webUrl,
} from './setting.ts'

const trim = (typed: string) => ({ text: typed.trim(), notes: [] })

/** Every setting. The name is the key in `--answers` and in the report. */
export const catalog = {
  mediaHost: setting({
    flag: '--media-host',
    value: 'HOST',
    env: 'MASTODON_R2_MEDIA_HOST',
    help: 'hostname for media, e.g. files.example.com; not the hostname of Mastodon itself',
    rule: hostName,
    tidy: tidyHost,
    group: 'What to set up',
    question: { message: 'Which hostname should serve the media?' },
  }),
  bucket: setting({
    flag: '--bucket',
    value: 'NAME',
    env: 'MASTODON_R2_BUCKET',
    help: 'R2 bucket: 3 to 63 of a-z, 0-9 and "-"; made when it does not exist',
    rule: bucketName,
    tidy: tidyBucket,
    fallbackHelp: "from the instance's domain",
    group: 'What to set up',
  }),
  accountId: setting({
    flag: '--account-id',
    value: 'ID',
    env: 'CLOUDFLARE_ACCOUNT_ID',
    help: 'Cloudflare account; only needed when the token sees several',
    rule: cloudflareId,
    tidy: trim,
    group: 'Cloudflare account and token',
    question: { message: 'Which Cloudflare account?' },
  }),
  location: setting({
    flag: '--location',
    value: 'HINT',
    help: 'where a new bucket should live: apac, eeur, enam, weur, wnam or oc',
    rule: oneOf(['apac', 'eeur', 'enam', 'weur', 'wnam', 'oc']),
    tidy: tidyBucket,
    fallbackHelp: 'near to where this runs',
    group: 'What to set up',
  }),
  jurisdiction: setting({
    flag: '--jurisdiction',
    value: 'J',
    help: "default, eu, us, fedramp or fedramp-high; can't be changed later; not with --location",
    rule: oneOf(jurisdictions),
    tidy: tidyBucket,
    fallback: 'default',
    group: 'What to set up',
  }),
  corsOrigin: setting({
    flag: '--cors-origin',
    value: 'O',
    help: 'who may read media from scripts; Mastodon needs its own origin, * suits everyone',
    rule: origins,
    repeatable: true,
    fallback: '*',
    group: 'What to set up',
  }),
  existingMedia: setting({
    flag: '--existing-media',
    value: 'prepare|switch',
    help: 'media is on this server already: prepare everything but switch later, or switch now',
    rule: oneOf(['prepare', 'switch']),
    group: 'What to set up',
    question: { message: 'This server already holds media. What should happen to it?' },
  }),
  edge: setting({
    flag: '--edge',
    value: 'recommended|none|NAMES',
    help: "rules at Cloudflare's edge: security-headers, cache-everything, private-folders (all of them: recommended), tiered-cache (for the whole zone)",
    rule: edgeWish,
    tidy: trim,
    fallbackHelp: 'none; a first setup in a terminal asks',
    group: 'What to set up',
  }),
  edgeTtl: setting({
    flag: '--edge-ttl',
    value: 'TIME|origin',
    help: "with cache-everything: media leaves Cloudflare's cache after 2h to 365d, so that deleted media does; origin: as long as browsers may keep it",
    rule: edgeTime,
    tidy: trim,
    fallbackHelp: 'as it is; origin at first',
    group: 'What to set up',
  }),
  announce: setting({
    flag: '--announce',
    help: "do not switch to the media host yet: let Mastodon's pages name it, and note from when a switch is safe",
    rule: flag,
    answerable: false,
    group: 'What to set up',
  }),
  apiToken: setting({
    flag: '--api-token-file',
    value: 'PATH|-',
    env: 'CLOUDFLARE_API_TOKEN',
    help: 'file with the Cloudflare API token for the setup (- reads standard input); never stored',
    rule: apiToken,
    secret: true,
    fromFile: true,
    group: 'Cloudflare account and token',
    question: { message: 'Cloudflare API token (nothing shows while you paste)' },
  }),
  mastodonDir: setting({
    flag: '--mastodon-dir',
    value: 'DIR',
    help: 'where Mastodon or its compose file lives',
    rule: text,
    fallbackHelp: 'looked for',
    group: 'Where Mastodon is',
  }),
  mastodonEnv: setting({
    flag: '--mastodon-env',
    // npx is a script of Node, which takes an --env-file behind its script for its own (Node 20 to 24).
    formerly: ['--env-file'],
    value: 'PATH',
    env: 'MASTODON_R2_ENV_FILE',
    help: 'the env file to write',
    rule: text,
    fallbackHelp: '.env.production of the Mastodon found',
    group: 'Where Mastodon is',
  }),
  mediaDir: setting({
    flag: '--media-dir',
    value: 'DIR',
    help: 'where the media lies, if not where Mastodon keeps it: another disk, a mount of another host',
    rule: text,
    fallbackHelp: "PAPERCLIP_ROOT_PATH, or public/system in Mastodon's folder",
    group: 'Where Mastodon is',
  }),
  answers: setting({
    flag: '--answers',
    value: 'PATH|-',
    help: 'file with settings: JSON by their names, or variables as in an env file (- reads standard input); flags and variables win',
    rule: text,
    answerable: false,
    group: 'Run without questions',
  }),
  tokenKind: setting({
    flag: '--token-kind',
    value: 'account|user',
    help: "who owns the access key that is made; an account's key survives people leaving",
    rule: oneOf(['account', 'user']),
    fallbackHelp: 'account where the token allows it',
    group: 'The access key',
  }),
  allowIp: setting({
    flag: '--allow-ip',
    value: 'CIDR',
    help: 'addresses that may use the access key; may be given several times',
    rule: cidrs,
    repeatable: true,
    fallbackHelp: 'any address',
    group: 'The access key',
  }),
  expires: setting({
    flag: '--expires',
    value: 'DATE',
    help: 'day the access key ends, e.g. 2027-06-30; uploads fail after it',
    rule: expiry,
    tidy: trim,
    fallbackHelp: 'never',
    group: 'The access key',
  }),
  waitDomain: setting({
    flag: '--wait-domain',
    value: 'TIME',
    help: 'how long to wait for the custom domain, e.g. 90s or 15m',
    rule: duration,
    tidy: trim,
    fallback: '15m',
    group: 'What to set up',
  }),
  rotate: setting({
    flag: '--rotate',
    help: 'replace the access key of a server that is set up; the same as the command rotate',
    rule: flag,
    answerable: false,
    group: 'The access key',
  }),
  ...outputCatalog,
  sandbox: setting({
    flag: '--sandbox',
    help: 'rehearse it all on a local stand-in; nothing leaves this machine',
    rule: flag,
    answerable: false,
    group: 'Look before anything changes',
  }),
  cloudflareApiUrl: setting({
    flag: '--cloudflare-api-url',
    value: 'URL',
    env: 'CLOUDFLARE_BASE_URL',
    help: 'another Cloudflare API',
    rule: webUrl,
    fallback: 'https://api.cloudflare.com/client/v4',
    group: 'Another Cloudflare or network',
  }),
  s3EndpointUrl: setting({
    flag: '--s3-endpoint-url',
    value: 'URL',
    help: 'another S3 endpoint; it is also what S3_ENDPOINT will hold',
    rule: endpointUrl,
    fallbackHelp: "R2's, from account and jurisdiction",
    group: 'Another Cloudflare or network',
  }),
  connectTo: setting({
    flag: '--connect-to',
    value: 'HOST:PORT:ADDR:PORT',
    help: 'where the public checks connect instead, as with curl; may be given several times',
    rule: connectTo,
    repeatable: true,
    group: 'Another Cloudflare or network',
  }),
} as const

/** `--sandbox` of the commands that need a setup which is there. */
export const rehearsedHelp =
  'rehearse it: a setup is made first on a local stand-in, with a copy of the env file; nothing leaves this machine'

/** What every command takes that changes a setup which is there, as it reads in its help. */
export const runFlags = {
  accountId: catalog.accountId,
  mastodonDir: catalog.mastodonDir,
  answers: catalog.answers,
  dryRun: catalog.dryRun,
  yes: catalog.yes,
  json: catalog.json,
  quiet: catalog.quiet,
  verbose: catalog.verbose,
  timings: catalog.timings,
  logFile: catalog.logFile,
  noColor: catalog.noColor,
  cloudflareApiUrl: catalog.cloudflareApiUrl,
  s3EndpointUrl: { ...catalog.s3EndpointUrl, help: 'another S3 endpoint than the env file names' },
  connectTo: catalog.connectTo,
} as const

export type SettingName = keyof typeof catalog

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

export type SetupCatalog = typeof catalog

type Given = (name: SettingName) => string | undefined

/** Pairs of settings that can't both be meant, and why. Variables count as weaker than flags. */
const PAIRS: readonly (readonly [SettingName, SettingName, string])[] = [
  ['location', 'jurisdiction', 'a jurisdiction already says where the bucket lives'],
  ['print', 'json', 'the printed block holds the keys, and the JSON report never does'],
  ['print', 'dryRun', 'a dry run makes no key that could be printed'],
  ['announce', 'print', 'the announcement stands in the env file'],
  ['announce', 'sandbox', "Mastodon's own pages are not part of a rehearsal"],
]

const NOT_IN_SANDBOX: readonly SettingName[] = [
  'cloudflareApiUrl',
  's3EndpointUrl',
  'connectTo',
  'apiToken',
  'accountId',
]

/** Refuses settings that contradict each other, before anything is asked or looked at. */
export function refuseContradictions(given: Given): void {
  const isFlag = (name: SettingName) => given(name)?.startsWith('--') === true
  for (const [one, other, why] of PAIRS) {
    const [first, second] = [given(one), given(other)]
    if (first !== undefined && second !== undefined) throw contradiction(first, second, why)
  }
  if (given('sandbox') !== undefined) {
    const outside = NOT_IN_SANDBOX.find(isFlag)
    if (outside !== undefined) {
      const why = 'the sandbox brings its own Cloudflare, and its own token'
      throw contradiction('--sandbox', String(given(outside)), why)
    }
  }
  if (isFlag('format') && given('print') === undefined) {
    throw new Problem({
      code: 'format-without-print',
      what: '--format is about the printed block, and nothing is printed.',
      why: 'Without --print the block goes into the env file, in the one form that fits there.',
      next: 'Add --print, or leave --format out.',
      exit: 2,
    })
  }
}

/** Cloudflare's side alone is printed: no key, and no line for Mastodon. */
export function printsNoSettings(settings: Pick<Settings<SetupCatalog>, 'get' | 'on'>): boolean {
  return settings.on('print') && settings.get('format') === 'terraform-import'
}

declare module '../core/to-type.ts' {
  interface CommandFlags {
    init: FlagsOf<typeof catalog>
  }
}
