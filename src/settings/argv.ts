import { parseArgs } from 'node:util'
import { Problem } from '../core/problem.ts'
import { helpLine, prose } from '../core/to-type.ts'
import { type Catalog, fromVariable, type Setting, variableOf } from './setting.ts'

export type RawValue = string | boolean | readonly string[]

/**
 * Flags of one command → raw values by setting name. An unknown flag, a word too many or a missing
 * value is refused with the nearest flag; a value that might be a secret is never repeated. `notes`:
 * filled with a sentence for each flag that has another name by now.
 */
export async function parseArgv(
  command: string,
  argv: readonly string[],
  settings: Catalog,
  notes: string[] = [],
): Promise<Map<string, RawValue>> {
  const named = Object.entries(settings).flatMap(([name, setting]) =>
    [setting.flag, ...(setting.formerly ?? [])].map((flag) => ({
      flag: flag.slice(2),
      name,
      setting,
    })),
  )
  const byFlag = new Map(named.map(({ flag, name }) => [flag, name]))
  const options = Object.fromEntries(
    named.map(({ flag, setting: { value, repeatable, short, ...setting } }) => [
      flag,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: repeatable === true,
        ...(short !== undefined && setting.flag === `--${flag}` && { short: short.slice(1) }),
      },
    ]),
  )
  if (argv.length === 0) return new Map()
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const values = new Map<string, RawValue>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      const [taker] = Object.entries(settings).find(([, { words }]) => words) ?? []
      if (taker === undefined) throw wordTooMany(command)
      values.set(taker, [...listed(values.get(taker)), token.value])
      continue
    }
    const name = byFlag.get(token.name)
    const setting = name === undefined ? undefined : settings[name]
    if (name === undefined || !setting) throw await unknownFlag(command, token.rawName, settings)
    if (setting.formerly?.some((former) => former === token.rawName)) {
      notes.push(`${token.rawName} is called ${setting.flag} now; the old name goes on working.`)
    }
    if (setting.value === undefined) {
      if (token.value !== undefined) throw takesNoValue(command, setting.flag)
      values.set(name, true)
      continue
    }
    if (token.value === undefined || (token.value.startsWith('--') && !token.inlineValue)) {
      throw needsValue(command, setting.flag, setting.value)
    }
    if (setting.repeatable) {
      values.set(name, [...listed(values.get(name)), token.value])
      continue
    }
    if (values.has(name)) throw givenTwice(command, setting.flag)
    values.set(name, token.value)
  }
  return values
}

function listed(value: RawValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : []
}

/** What people call a setting elsewhere, by its name here. */
const ALSO_CALLED: readonly (readonly [RegExp, name: string])[] = [
  [/^(api|cf|cloudflare)?-?(api-)?(token|key)$/, 'apiToken'],
  [/^((media|custom|cdn)-?)?(domain|hostname|host|alias)$/, 'mediaHost'],
  [/^(env|environment|config|env-production)$/, 'mastodonEnv'],
  [/^(assume-yes|force|non-?interactive|batch|no-input)$/, 'yes'],
  [/^(region|place)$/, 'location'],
  [/^(simulate|noop|no-act|what-?if|plan)$/, 'dryRun'],
  [/^(debug|trace)$/, 'verbose'],
  [/^(silent)$/, 'quiet'],
]

/** Whether a switch is given, for what is decided before all settings are read. */
export function hasSwitch(
  { environment }: { readonly environment: Readonly<Record<string, string | undefined>> },
  argv: readonly string[],
  setting: Setting<boolean>,
): boolean {
  const { flag, short } = setting
  const variable = environment[variableOf(setting)] ?? ''
  if (variable !== '' && fromVariable(setting, variable) === true) return true
  const letter = short?.slice(1)
  const isGroup = (word: string) => letter !== undefined && /^-[a-z]+$/.test(word)
  return argv.some((word) => word === flag || (isGroup(word) && word.includes(String(letter))))
}

async function unknownFlag(command: string, rawName: string, known: Catalog): Promise<Problem> {
  if (rawName === '--sandbox') throw noRehearsal(command)
  const { isShowable, nearest } = await import('../core/nearest.ts')
  const word = rawName.replace(/^-+/, '')
  const names = Object.values(known).flatMap(({ flag, formerly = [] }) =>
    [flag, ...formerly].map((name) => [name.slice(2), flag] as const),
  )
  const other = ALSO_CALLED.find(([words]) => words.test(word))
  const near = () =>
    names.find(
      ([name]) =>
        name ===
        nearest(
          word,
          names.map(([one]) => one),
        ),
    )?.[1]
  const guess = other ? known[other[1]]?.flag : near()
  const { env } = Object.values(known).find(({ flag, secret }) => secret && flag === guess) ?? {}
  const variable = env === undefined ? '' : ` The variable ${env} takes its content.`
  return usage(command, {
    code: 'unknown-flag',
    what: isShowable(word) ? `There is no flag ${rawName}.` : 'One of the flags does not exist.',
    why:
      guess === undefined
        ? `\`${command}\` knows no flag like it.`
        : `Did you mean ${guess}?${variable}`,
  })
}

/** The others need media that has been on R2 for a while, or visitors. */
function noRehearsal(command: string): Problem {
  return usage(command, {
    code: 'no-rehearsal',
    what: `\`${command}\` has no rehearsal.`,
    why: 'What is rehearsed is a setup that was made a moment ago, and no media is in it yet. --sandbox is for init, check, rotate, undo and migrate.',
  })
}

function wordTooMany(command: string): Problem {
  return usage(command, {
    code: 'unexpected-word',
    what: `\`${command}\` takes flags only, and there is a word without a flag.`,
    why: 'A value with a space in it needs quotes; a forgotten "--" has the same effect.',
  })
}

function takesNoValue(command: string, flag: string): Problem {
  return usage(command, {
    code: 'flag-takes-no-value',
    what: `${flag} takes no value.`,
    why: 'It is a switch: there or not there.',
  })
}

function needsValue(command: string, flag: string, value: string): Problem {
  return usage(command, {
    code: 'flag-needs-value',
    what: `${flag} needs a value: ${flag} ${value}.`,
    why: 'What follows it is missing or is another flag.',
  })
}

function givenTwice(command: string, flag: string): Problem {
  return usage(command, {
    code: 'flag-twice',
    what: `${flag} is given twice.`,
    why: 'It takes one value, and it is not clear which one is meant.',
  })
}

function usage(command: string, { code, what, why }: Record<'code' | 'what' | 'why', string>) {
  return new Problem({ code, what, why, next: prose`All flags: ${helpLine(command)}`, exit: 2 })
}
