// Writes the manual from the tables that the help is made of, in mdoc(7): one page for the program, one
// for each command that takes flags.
import { fold } from '../src/columns.ts'
import { commands, EXITS } from '../src/commands.ts'
import { VARIABLES } from '../src/help.ts'
import type { CommandEntry } from '../src/host.ts'
import { type Setting, settingGroups, variableOf } from '../src/settings/setting.ts'
import { type Topic, topicOf } from '../src/topics.ts'

export interface Release {
  readonly version: string
  /** YYYY-MM-DD. */
  readonly date: string
  readonly homepage: string
}

/** Pages by file name, e.g. `mastodon-r2-init.1`. */
export async function manual(release: Release): Promise<Map<string, string>> {
  const topics = await Promise.all(
    commands.map(async (entry) => [entry, await topicOf(entry.name)] as const),
  )
  const withFlags = topics.flatMap(([entry, topic]) => (topic ? [[entry, topic] as const] : []))
  const names = withFlags.map(([{ name }]) => `mastodon-r2-${name}`).sort()
  return new Map([
    ['mastodon-r2.1', programPage(release, names)],
    ...withFlags.map(([entry, topic]): [string, string] => [
      `mastodon-r2-${entry.name}.1`,
      commandPage(release, entry, topic),
    ]),
  ])
}

function programPage(release: Release, names: readonly string[]): string {
  return page(release, 'mastodon-r2', 'puts the media of a Mastodon server on Cloudflare R2', [
    '.Sh SYNOPSIS',
    '.Nm',
    '.Ar command',
    '.Op Ar flags',
    '.Sh DESCRIPTION',
    ...sentences(DESCRIPTION),
    '.Pp',
    'The commands:',
    '.Bl -tag -width completion',
    ...commands.flatMap(({ name, line }) => [`.It Cm ${name}`, ...sentences(line)]),
    '.El',
    '.Sh ENVIRONMENT',
    ...sentences(VARIABLES),
    '.Sh FILES',
    '.Bl -tag -width Ds',
    '.It Pa ~/.local/state/mastodon\\-r2/logs/',
    'Logs of runs that changed something, without secrets.',
    'Another place for it and for the notes of a migration:',
    '.Ev XDG_STATE_HOME .',
    '.It Pa ~/.local/state/mastodon\\-r2/',
    'What a migration has copied.',
    '.El',
    '.Sh EXIT STATUS',
    '.Bl -tag -width Ds',
    ...EXITS.flatMap(([code, text]) => [`.It ${code}`, ...sentences(text)]),
    '.El',
    '.Sh EXAMPLES',
    'Rehearse a setup; nothing leaves this machine:',
    ...literal('npx mastodon-r2 init --sandbox'),
    '.Sh SEE ALSO',
    ...names.map((name, at) => `.Xr ${name} 1${at < names.length - 1 ? ' ,' : ''}`),
    '.Pp',
    `.Lk ${release.homepage}`,
  ])
}

function commandPage(
  release: Release,
  { name, line, also = [] }: CommandEntry,
  { catalog, examples, docs }: Topic,
): string {
  const settings = Object.values(catalog)
  return page(release, `mastodon-r2-${name}`, line, [
    '.Sh SYNOPSIS',
    '.Nm mastodon-r2',
    `.Cm ${name}`,
    '.Op Ar flags',
    '.Sh DESCRIPTION',
    ...(also.length === 0 ? [] : [`The same: ${also.map(escaped).join(', ')}.`]),
    ...settingGroups.flatMap((group) => {
      const rows = settings.filter((setting) => setting.group === group)
      if (rows.length === 0) return []
      return [`.Ss ${escaped(group)}`, '.Bl -tag -width Ds', ...rows.flatMap(item), '.El']
    }),
    '.Sh ENVIRONMENT',
    ...sentences(VARIABLES),
    '.Sh EXIT STATUS',
    'Those of',
    '.Xr mastodon-r2 1 .',
    '.Sh EXAMPLES',
    ...examples.flatMap(([want, line], at) => [
      ...(at === 0 ? [] : ['.Pp']),
      ...sentences(`${want}:`),
      ...literal(line),
    ]),
    '.Sh SEE ALSO',
    '.Xr mastodon-r2 1',
    '.Pp',
    `${escaped(docs)} at`,
    `.Lk ${release.homepage}`,
  ])
}

function item({ flag, short, value, env, help, ...rest }: Setting<unknown>): string[] {
  const word = (name: string) => `Fl ${escaped(name.slice(1))}`
  const byDefault = rest.fallbackHelp ?? rest.fallback
  const variable = variableOf({ flag, ...(env !== undefined && { env }) })
  return [
    `.It ${short === undefined ? '' : `${word(short)} , `}${word(flag)}${value === undefined ? '' : ` Ar ${escaped(value)}`}`,
    ...sentences(help),
    ...(byDefault === undefined ? [] : ['.br', ...sentences(`Default: ${byDefault}.`)]),
    '.br',
    'Variable:',
    `.Ev ${variable}`,
  ]
}

function page(
  { version, date }: Release,
  name: string,
  line: string,
  rest: readonly string[],
): string {
  const [year = '', month = '', day = ''] = date.split('-')
  return `${[
    `.\\" Made by .build/man.ts from the tables of the help.`,
    `.Dd ${MONTHS[Number(month) - 1]} ${Number(day)}, ${year}`,
    `.Dt ${name.toUpperCase()} 1`,
    `.Os mastodon-r2 ${version}`,
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${escaped(line)}`,
    ...rest,
  ].join('\n')}\n`
}

const DESCRIPTION =
  'It makes the bucket, its custom domain and its access key, writes the settings of Mastodon, and proves with a test upload that all of it works. Nothing changes before a yes to a plan.'

const MONTHS =
  'January February March April May June July August September October November December'.split(' ')

/** Each sentence begins a line, as mdoc wants it; what begins like a request is none. */
function sentences(text: string): string[] {
  const lines = text.split(/(?<=[a-z0-9)][.!?]) (?=[A-Z])/).flatMap((one) => fold(one, 70))
  return lines.map((line) => escaped(line).replace(/^[.']/, '\\&$&'))
}

function literal(line: string): string[] {
  return ['.Bd -literal -offset indent', escaped(line), '.Ed']
}

/** A hyphen that is copied has to be one. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
}
