import * as z from 'zod'
import { catalog } from './catalog.ts'
import { setting } from './define.ts'
import { hostName } from './host-name.ts'
import { duration, flag, oneOf } from './rules.ts'

const delay = (about: string, fallback: string) =>
  ({ value: 'TIME', help: about, rule: duration, fallback, group: 'Other worlds' }) as const

/** The settings of `sandbox`. */
export const sandboxCatalog = {
  zone: setting({
    flag: '--zone',
    value: 'DOMAIN',
    help: "a domain that the sandbox's account holds; may be given several times",
    rule: z.array(hostName),
    repeatable: true,
    fallback: 'example.com',
    group: 'Other worlds',
  }),
  tokenKind: setting({
    flag: '--token-kind',
    value: 'account|user',
    help: 'kind of the bootstrap token that is handed out',
    rule: oneOf(['account', 'user']),
    fallback: 'account',
    group: 'Other worlds',
  }),
  domainDelay: setting({
    flag: '--domain-delay',
    ...delay('until a custom domain is active', '2s'),
  }),
  keyDelay: setting({ flag: '--key-delay', ...delay('until a new access key works', '1s') }),
  requestDelay: setting({ flag: '--request-delay', ...delay('added to every request', '0ms') }),
  attached: setting({
    flag: '--attached',
    help: 'end when standard input ends',
    rule: flag,
    answerable: false,
    group: 'Other worlds',
  }),
  json: { ...catalog.json, help: 'the variables as one line of JSON' },
} as const
