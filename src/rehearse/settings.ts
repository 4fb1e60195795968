import { strangerRefusals } from '../sandbox/edge/state.ts'
import { catalog } from '../settings/catalog.ts'
import { hostName } from '../settings/names.ts'
import { duration, type FlagsOf, flag, oneOf, setting, type Zod } from '../settings/setting.ts'

const delay = (about: string, fallback: string) =>
  ({ value: 'TIME', help: about, rule: duration, fallback, group: 'What to stand in for' }) as const

const number = (most: number) => (z: Zod) =>
  z
    .string()
    .refine((value) => /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= most, {
      error: `must be a whole number, 1 to ${most}`,
    })
    .transform(Number)

const perSecond = (digits: number) => (z: Zod) =>
  z
    .string()
    .regex(new RegExp(`^[1-9]\\d{0,${digits - 1}}(/s)?$`), 'is not a number a second such as 5/s')
    .transform((value) => Number(value.replace('/s', '')))

/** The settings of `sandbox`. */
export const sandboxCatalog = {
  zone: setting({
    flag: '--zone',
    value: 'DOMAIN',
    help: "a domain that the sandbox's account holds; may be given several times",
    rule: (z) => z.array(hostName(z)),
    repeatable: true,
    fallback: 'example.com',
    group: 'What to stand in for',
  }),
  tokenKind: setting({
    flag: '--token-kind',
    value: 'account|user',
    // The rule's variable is about the access key that init makes.
    env: 'MASTODON_R2_SANDBOX_TOKEN_KIND',
    help: 'kind of the bootstrap token that is handed out',
    rule: oneOf(['account', 'user']),
    fallback: 'account',
    group: 'What to stand in for',
  }),
  domainDelay: setting({
    flag: '--domain-delay',
    ...delay('until a custom domain is active', '2s'),
  }),
  keyDelay: setting({ flag: '--key-delay', ...delay('until a new access key works', '1s') }),
  requestDelay: setting({ flag: '--request-delay', ...delay('added to every request', '0ms') }),
  rateLimit: setting({
    flag: '--rate-limit',
    value: 'N/s',
    help: 'S3 requests above so many a second are answered with 429',
    rule: perSecond(5),
    group: 'What to stand in for',
  }),
  refuseParts: setting({
    flag: '--refuse-parts',
    help: 'answer 501 to reads by part number, as some S3 storage does',
    rule: flag,
    group: 'What to stand in for',
  }),
  refuseStrangers: setting({
    flag: '--refuse-strangers',
    value: 'hotlinks|bots',
    help: "what the zone keeps from other servers' pages and programs; may be given twice",
    rule: (z) => z.array(oneOf(strangerRefusals)(z)),
    repeatable: true,
    group: 'What to stand in for',
  }),
  media: setting({
    flag: '--media',
    value: 'N',
    help: 'a Mastodon with so many media files, to rehearse migrate with',
    rule: number(1_000_000),
    group: 'What to stand in for',
  }),
  uploads: setting({
    flag: '--uploads',
    value: 'N/s',
    help: 'with --media: files that are uploaded while it runs, e.g. 5/s',
    rule: perSecond(3),
    group: 'What to stand in for',
  }),
  attached: setting({
    flag: '--attached',
    help: 'end when standard input ends',
    rule: flag,
    answerable: false,
    group: 'What to stand in for',
  }),
  json: { ...catalog.json, help: 'the variables as one line of JSON' },
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    sandbox: FlagsOf<typeof sandboxCatalog>
  }
}
