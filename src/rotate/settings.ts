import { catalog, rehearsedHelp, runFlags } from '../settings/catalog.ts'
import { duration, type FlagsOf, flag, oneOf, setting } from '../settings/setting.ts'

const own = {
  restart: setting({
    flag: '--restart',
    value: 'ask|run|print',
    help: "Mastodon's services: ask first, run the commands, or only print them",
    rule: oneOf(['ask', 'run', 'print']),
    fallbackHelp: 'ask at a terminal, print without one',
    group: 'What to rotate',
  }),
  grace: setting({
    flag: '--grace',
    value: 'TIME',
    help: 'how long the old key stays active afterwards, e.g. 1h or 0s; download links of archives are signed with it, and live for an hour',
    rule: duration,
    tidy: (typed: string) => ({ text: typed.trim() === '0' ? '0s' : typed.trim(), notes: [] }),
    fallback: '1h',
    group: 'What to rotate',
  }),
  assumeRestarted: setting({
    flag: '--assume-restarted',
    help: 'you have restarted Mastodon where it can not be seen from here; the old key is removed on your word',
    rule: flag,
    answerable: false,
    group: 'What to rotate',
  }),
  schedule: setting({
    flag: '--schedule',
    help: 'print a systemd timer and a line for cron that rotate by themselves; nothing is changed',
    rule: flag,
    answerable: false,
    group: 'What to rotate',
  }),
  roll: setting({
    flag: '--roll',
    help: 'refused: it would stop uploads; the reason is told',
    rule: flag,
    answerable: false,
    group: 'What to rotate',
  }),
} as const

/** Everything that finds a setup, and what `rotate` adds. */
export const rotateCatalog = { ...catalog, ...own } as const

/** The settings that `rotate` takes. The bucket and the media host stand in the env file. */
export const rotateFlags = {
  ...own,
  ...runFlags,
  sandbox: { ...catalog.sandbox, help: rehearsedHelp },
  apiToken: catalog.apiToken,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that holds the key' },
  tokenKind: { ...catalog.tokenKind, fallbackHelp: 'as the old key' },
  allowIp: { ...catalog.allowIp, fallbackHelp: 'as the old key' },
  expires: { ...catalog.expires, fallbackHelp: 'as long a life as the old key had' },
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    rotate: FlagsOf<typeof rotateFlags>
  }
}
