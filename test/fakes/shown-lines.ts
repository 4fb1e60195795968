import { checkFlags } from '../../src/check/settings.ts'
import { leaveFlags } from '../../src/leave/settings.ts'
import { migrateFlags } from '../../src/migrate/settings.ts'
import { purgeFlags } from '../../src/purge/settings.ts'
import { redirectsFlags } from '../../src/redirects/settings.ts'
import { sandboxCatalog } from '../../src/rehearse/settings.ts'
import { rotateFlags } from '../../src/rotate/settings.ts'
import { parseArgv } from '../../src/settings/argv.ts'
import { catalog } from '../../src/settings/catalog.ts'
import type { Catalog, Setting } from '../../src/settings/setting.ts'
import * as z from '../../src/settings/zod.ts'
import { undoSettings } from '../../src/undo/settings.ts'
import { usageFlags } from '../../src/usage/settings.ts'

/** The settings that each command takes. */
export const catalogs: Readonly<Record<string, Catalog>> = {
  init: catalog,
  check: checkFlags as Catalog,
  usage: usageFlags,
  purge: purgeFlags,
  migrate: migrateFlags,
  leave: leaveFlags,
  redirects: redirectsFlags,
  rotate: rotateFlags,
  undo: undoSettings,
  sandbox: sandboxCatalog,
}

const COMMAND = new RegExp(
  `\\bmastodon-r2 (${Object.keys(catalogs).join('|')})(?![\\w-])([^\\0]*)`,
  'g',
)
const FLAG = /^ (--[a-z][a-z0-9-]*)(=\S+)?/
const WORD = /^ ?((?:'[^']*'|\\.|[^\s'\\`])+)/
/** The first line of a run; what follows it is another one. */
const TITLE = /^\W*mastodon-r2 \w+$/gm
/** What stands for a value of the person: `HOST`, `N`, `FILE`. */
const PLACEHOLDER = /^[A-Z]+$|^\.\.\.$/

export interface ShownLine {
  readonly command: string
  readonly argv: readonly string[]
}

/**
 * Every line of this program in a text, as far as its flags go: words of the sentence follow one that
 * takes no value, or has it. Lines that were wrapped are read as one.
 */
export function shownLines(text: string): ShownLine[] {
  const flat = text.replaceAll(TITLE, '').replaceAll(/\s+/g, ' ')
  const starts = [...flat.matchAll(/\bmastodon-r2 /g)].map(({ index }) => index)
  return starts.flatMap((start, at) => {
    const [found] = flat.slice(start, starts[at + 1]).matchAll(COMMAND)
    const [, command = '', rest = ''] = found ?? []
    return found ? [{ command, argv: flagsAtStart(rest, catalogs[command] as Catalog) }] : []
  })
}

function flagsAtStart(text: string, settings: Catalog): string[] {
  const argv: string[] = []
  let rest = text
  for (let found = FLAG.exec(rest); found; found = FLAG.exec(rest)) {
    const [whole, flag = '', joined = ''] = found
    const setting = Object.values(settings).find((one) => one.flag === flag)
    argv.push(flag + joined)
    rest = rest.slice(whole.length)
    if (joined !== '' || !setting || setting.value === undefined) continue
    const word = WORD.exec(rest)
    if (!word) break
    argv.push(unquoted(word[1] as string))
    rest = rest.slice(word[0].length)
  }
  return argv
}

/** As a shell reads it; what ends a sentence is no part of a bare word. */
function unquoted(word: string): string {
  const bare = word.includes("'") ? word : word.replace(/[.,;:)]+$/, '')
  return bare.replaceAll(/'([^']*)'|\\(.)/g, (_, quoted, escaped) => quoted ?? escaped)
}

/** What the program itself says against a line, in a sentence; undefined when it takes it. */
export async function faultOf({ command, argv }: ShownLine): Promise<string | undefined> {
  const settings = catalogs[command] as Catalog
  try {
    const given = await parseArgv(command, argv, settings)
    for (const [name, raw] of given) {
      const fault = wrongValue(settings[name] as Setting<unknown>, raw)
      if (fault !== undefined) return `${command} ${argv.join(' ')}: ${fault}`
    }
  } catch (error) {
    return `${command} ${argv.join(' ')}: ${(error as Error).message}`
  }
  return undefined
}

function wrongValue({ rule, fromFile, tidy, flag }: Setting<unknown>, raw: unknown) {
  if (fromFile || [raw].flat().some((one) => PLACEHOLDER.test(String(one)))) return undefined
  const result = rule(z).safeParse(tidy && typeof raw === 'string' ? tidy(raw).text : raw)
  return result.success ? undefined : `${flag} ${result.error.issues[0]?.message}`
}

/** What the program would not take of all the lines of a text, or of a JSON report. */
export async function wrongLines(text: string): Promise<string[]> {
  const faults = await Promise.all(said(text).flatMap(shownLines).map(faultOf))
  return faults.filter((fault) => fault !== undefined)
}

/** Which bucket and which network a run is at. */
const WAYS = ['--s3-endpoint-url', '--connect-to']

/** A command that is spoken of, and no line to type. */
const NAMED = /(?<!npx )\bmastodon-r2 /g

/** The lines of a text that do not lead to where the run was that `argv` began. */
export function strayLines(text: string, argv: readonly string[]): string[] {
  if (argv[0] === 'help' || argv.includes('--sandbox')) return []
  const ways = WAYS.filter((flag) => argv.includes(flag))
  return said(text)
    .map((words) => words.replaceAll(/\s+/g, ' ').replaceAll(NAMED, 'it '))
    .flatMap(shownLines)
    .flatMap(({ command, argv: shown }) => {
      const taken = Object.values(catalogs[command] as Catalog).map(({ flag }) => String(flag))
      const lost = ways.filter((flag) => taken.includes(flag) && !shown.includes(flag))
      if (lost.length === 0 || shown.includes('--sandbox')) return []
      return [`${command} ${shown.join(' ')} has no ${lost.join(' ')}`]
    })
}

/** The strings of a JSON report; of any other text, all of it. */
function said(text: string): string[] {
  try {
    const strings: string[] = []
    JSON.parse(text, (_, value) => {
      if (typeof value === 'string') strings.push(value)
      return value
    })
    return strings
  } catch {
    return [text]
  }
}
