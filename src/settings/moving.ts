import { flag, setting, type Zod } from './setting.ts'

/** A number of files, days and the like. */
export const whole = (least: number, most: number) => (z: Zod) =>
  z.string().transform((value, context) => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= least && number <= most) return number
    context.addIssue({ code: 'custom', message: `must be a whole number, ${least} to ${most}` })
    return z.NEVER
  })

/** What both ways of moving media take. */
export const movingCatalog = {
  transfers: setting({
    flag: '--transfers',
    value: 'N',
    help: 'files under way at the same time',
    rule: whole(1, 512),
    fallbackHelp: 'as many as the line and the bucket take, measured meanwhile',
    group: 'What to migrate',
  }),
  noDowntime: setting({
    flag: '--no-downtime',
    help: 'cut over without quieting Sidekiq; requests still wait while Rails boots (12 to 33 s were seen)',
    rule: flag,
    group: 'How to cut over',
  }),
  stop: setting({
    flag: '--stop',
    help: 'cut over with web and Sidekiq stopped during the last copy',
    rule: flag,
    group: 'How to cut over',
  }),
} as const
