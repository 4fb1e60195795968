import { columns, fold, foldCommand, leftColumn, screenWidth, typed } from './columns.ts'
import type { Command, CommandEntry, Host } from './host.ts'
import type { Setting, variableOf } from './settings/setting.ts'
import { type Topic, topicOf } from './topics.ts'

type Overview = (host: Pick<Host, 'version' | 'homepage' | 'program'>, width: number) => string

/** The `help` command for a table of commands; `overview` is the page about all of them. */
export function helpOn(commands: readonly CommandEntry[], overview: Overview): Command {
  return { run: (host, argv) => tell(host, argv, commands, overview) }
}

async function tell(
  host: Host,
  argv: readonly string[],
  commands: readonly CommandEntry[],
  overview: Overview,
): Promise<number> {
  const [topic, ...more] = argv
  const width = screenWidth(host)
  if (topic === undefined || topic === '--help' || topic === '-h') {
    host.stdout.write(overview(host, width))
    return 0
  }
  if (topic === '--json-schema') return jsonSchema(host)
  const entry = commands.find(({ name, also }) => name === topic || also?.includes(topic))
  if (!entry || more.length > 0) {
    const { isShowable } = await import('./core/nearest.ts')
    const about = argv.every(isShowable) ? argv.join(' ') : 'that'
    host.stderr.write(`There is no help about ${about}.\nSee: ${typed(host.program)} help\n`)
    return 2
  }
  host.stdout.write(await page(host, entry, width))
  return 0
}

/** The rule that names the variable of a flag. */
export const VARIABLES =
  'Every flag has a variable: MASTODON_R2_ and its name, so --bucket is MASTODON_R2_BUCKET, unless its line names another. A switch takes 1 or 0, and a flag is stronger.'

async function page(
  host: Pick<Host, 'homepage' | 'userId' | 'program'>,
  { name, line, also = [] }: CommandEntry,
  width: number,
): Promise<string> {
  const topic = await topicOf(name, host)
  const title = fold(`mastodon-r2 ${name}: ${line}`, width)
  if (!topic) return `${title.join('\n')}\n`
  return `${[
    ...title,
    '',
    ...fold(`Usage: mastodon-r2 ${name} ${wordsOf(topic)}[flags]`, width),
    ...(also.length === 0 ? [] : fold(`The same: mastodon-r2 ${also.join(', ')}`, width)),
    '',
    'Examples',
    ...examples(topic, width),
    ...(await flags(topic, width)),
    '',
    ...fold(VARIABLES, width),
    '',
    ...fold(`Docs: ${topic.docs} at ${host.homepage}`, width),
  ].join('\n')}\n`
}

/** `ADDRESS... ` where words without a flag are taken. */
function wordsOf({ catalog }: Topic): string {
  const { value } = Object.values(catalog).find(({ words }) => words) ?? {}
  return value === undefined ? '' : `${value}... `
}

function examples({ examples }: Topic, width: number): string[] {
  return examples.flatMap(([want, line]) => [
    ...fold(`${want}:`, width - 2).map((text) => `  ${text}`),
    ...foldCommand(line, width - 4).map((text) => `    ${text}`),
  ])
}

async function flags({ catalog }: Topic, width: number): Promise<string[]> {
  const { settingGroups, variableOf } = await import('./settings/setting.ts')
  const settings = Object.values(catalog)
  const row = (aligned: boolean) => (setting: Setting<unknown>) =>
    [headOf(setting, aligned), textOf(setting, variableOf)] as const
  const aligned = settings.some(({ short }) => short !== undefined)
  const left = leftColumn(settings.map(row(aligned)), width)
  return settingGroups.flatMap((group) => {
    const rows = settings.filter((setting) => setting.group === group).map(row(aligned && left > 0))
    return rows.length === 0 ? [] : ['', group, ...columns(rows, width, left)]
  })
}

/** `-q, --quiet`, `    --bucket NAME`; `aligned`: room is kept for the short flag. */
function headOf({ flag, short, value }: Setting<unknown>, aligned: boolean): string {
  const before = short === undefined ? (aligned ? '    ' : '') : `${short}, `
  return `${before}${flag}${value === undefined ? '' : ` ${value}`}`
}

/** The variable is named where it is not the one that its flag would have. */
function textOf(
  { flag, env, help, fallback, fallbackHelp }: Setting<unknown>,
  variable: typeof variableOf,
): string {
  const byDefault = fallbackHelp ?? fallback
  const notes = [
    ...(env === undefined || env === variable({ flag }) ? [] : [`variable ${env}`]),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
  ]
  return `${help}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

async function jsonSchema(host: Host): Promise<number> {
  const { reportJsonSchema } = await import('./plan/report-schema.ts')
  host.stdout.write(`${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`)
  return 0
}
