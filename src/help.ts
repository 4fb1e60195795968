import type { Command, CommandEntry, Host } from './host.ts'
import type { Catalog, SettingGroup } from './settings/setting.ts'

const GROUPS: readonly SettingGroup[] = [
  'What to set up',
  'What to take back',
  'What to rotate',
  'What to migrate',
  'What to redirect',
  'How to clean up',
  'How to cut over',
  'Where',
  'The access key',
  'Output',
  'Other worlds',
]

/** The `help` command for a table of commands; `overview` is the page about all of them. */
export function helpOn(
  commands: readonly CommandEntry[],
  overview: (version: string) => string,
): Command {
  return { run: (host, argv) => tell(host, argv, commands, overview) }
}

async function tell(
  host: Host,
  argv: readonly string[],
  commands: readonly CommandEntry[],
  overview: (version: string) => string,
): Promise<number> {
  const [topic, ...more] = argv
  if (topic === undefined || topic === '--help' || topic === '-h') {
    host.stdout.write(overview(host.version))
    return 0
  }
  if (topic === '--json-schema') return jsonSchema(host)
  const entry = commands.find(({ name }) => name === topic)
  if (!entry || more.length > 0) {
    host.stderr.write(`There is no help about ${argv.join(' ')}.\nSee: mastodon-r2 help\n`)
    return 2
  }
  host.stdout.write(await page(entry.name, entry.line))
  return 0
}

async function page(name: string, line: string): Promise<string> {
  const catalog = await catalogOf(name)
  if (!catalog) return `mastodon-r2 ${name}: ${line}\n`
  return `mastodon-r2 ${name}: ${line}\n\nUsage: mastodon-r2 ${name} [flags]\n${flags(catalog)}`
}

async function catalogOf(name: string): Promise<Catalog | undefined> {
  if (name === 'sandbox') return (await import('./rehearse/settings.ts')).sandboxCatalog
  if (name === 'help') {
    return undefined
  }
  if (name === 'undo') return (await import('./undo/settings.ts')).undoSettings
  if (name === 'migrate') return (await import('./migrate/settings.ts')).migrateFlags
  if (name === 'redirects') {
    return (await import('./redirects/settings.ts')).redirectsFlags
  }
  if (name === 'rotate') return (await import('./rotate/settings.ts')).rotateFlags
  if (name === 'check') return (await import('./check/settings.ts')).checkFlags
  return (await import('./settings/catalog.ts')).catalog
}

/** Every flag with its help, 60 columns wide so that it fits everywhere. */
function flags(catalog: Catalog): string {
  return GROUPS.map((group) => {
    const settings = Object.values(catalog).filter((setting) => setting.group === group)
    if (settings.length === 0) return ''
    const lines = settings.map(({ flag, value, env, help, fallback, fallbackHelp }) => {
      const head = `  ${flag}${value === undefined ? '' : ` ${value}`}`
      const byDefault = fallback ?? fallbackHelp
      const notes = [
        ...(env === undefined ? [] : [`variable ${env}`]),
        ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
      ]
      const tail = notes.length === 0 ? '' : ` (${notes.join('; ')})`
      return `${head}\n${fold(`${help}${tail}`, 52)}`
    })
    return `\n${group}\n${lines.join('\n')}\n`
  }).join('')
}

function fold(text: string, columns: number): string {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    if (line !== '' && line.length + word.length >= columns) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => `      ${line}`).join('\n')
}

async function jsonSchema(host: Host): Promise<number> {
  const { reportJsonSchema } = await import('./plan/report.ts')
  host.stdout.write(`${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`)
  return 0
}
