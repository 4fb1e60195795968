import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import type { RawValue } from './argv.ts'
import {
  type Catalog,
  fromVariable,
  type Setting,
  type ValueOf,
  variableOf,
  type Zod,
} from './setting.ts'

/** Where values come from, the strongest first. */
export interface Sources {
  readonly flags: ReadonlyMap<string, RawValue>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly answers: ReadonlyMap<string, unknown>
  /** What there is to say about how they were given, in whole sentences. */
  readonly notes?: readonly string[]
  /** Reads the file that a `fromFile` flag names; `-` is standard input. */
  readonly readFile: (path: string, flag: string) => Promise<string>
}

export interface Resolved<T = unknown> {
  readonly value: T
  /** `--media-host`, `MASTODON_R2_MEDIA_HOST`, `answers`, `default`, a file name, `you` … */
  readonly source: string
  /** As a person would type it; undefined for a secret. */
  readonly text: string | readonly string[] | undefined
}

interface Fault {
  readonly where: string
  readonly message: string
}

/**
 * The settings of one run: flag → variable → answers → what the env file remembers → default →
 * question. Every value passes its rule, whatever its source.
 */
export class Settings<C extends Catalog> {
  readonly #catalog: C
  readonly #values = new Map<string, Resolved>()
  readonly #notes: string[] = []
  readonly #given = new Set<string>()
  #zod: Zod | undefined

  private constructor(catalog: C) {
    this.#catalog = catalog
  }

  /**
   * Throws one Problem that names every wrong value. `asksFirst`: where nothing is given, nothing is
   * loaded to check it with, and `ready` has to come before whatever gives or takes a value.
   */
  static async resolve<C extends Catalog>(
    catalog: C,
    sources: Sources,
    { asksFirst = false }: { readonly asksFirst?: boolean | undefined } = {},
  ): Promise<Settings<C>> {
    const settings = new Settings(catalog)
    if (!asksFirst) await settings.ready()
    settings.#notes.push(...(sources.notes ?? []))
    const faults: Fault[] = []
    for (const [name, setting] of Object.entries(catalog)) {
      const given = await findRaw(name, setting, sources)
      if (given === undefined) continue
      await settings.ready()
      const fault = settings.#take(name, given.raw, given.source)
      if (fault !== undefined) faults.push({ where: given.source, message: fault })
      settings.#given.add(name)
    }
    if (faults.length > 0) throw wrong(faults)
    return settings
  }

  /** From now on values can be checked. */
  async ready(): Promise<void> {
    this.#zod ??= await import('./zod.ts')
  }

  /** What was put right in what was given, in whole sentences. */
  get notes(): readonly string[] {
    return this.#notes
  }

  get<N extends keyof C & string>(name: N): ValueOf<C[N]> | undefined {
    return this.#values.get(name)?.value as ValueOf<C[N]> | undefined
  }

  on(name: keyof C & string): boolean {
    return this.#values.get(name)?.value === true
  }

  flag(name: keyof C & string): string {
    return this.#catalog[name]?.flag ?? name
  }

  source(name: keyof C & string): string | undefined {
    return this.#values.get(name)?.source
  }

  /** Told for this run: by a flag, a variable or an answer; no default, and not what a file remembers. */
  isGiven(name: keyof C & string): boolean {
    return this.#given.has(name)
  }

  /** A value from the env file, a default or a question. Gives the rule's message when refused. */
  offer(name: keyof C & string, raw: RawValue, source: string): string | undefined {
    return this.#take(name, raw, source)
  }

  forget(name: keyof C & string): void {
    this.#values.delete(name)
  }

  /** Checks without taking; for questions while the person types. It names what it is about. */
  fault(name: keyof C & string, raw: RawValue): string | undefined {
    const setting = this.#catalog[name] as Setting<unknown>
    const { text } = tidied(setting, raw)
    const { fault } = this.#check(setting, text)
    return fault === undefined || !setting.secret ? fault : `What you typed ${fault}`
  }

  /** The value, or the setting's fixed default. Throws when it has neither. */
  need<N extends keyof C & string>(name: N): ValueOf<C[N]> {
    const setting = this.#catalog[name] as Setting<unknown>
    if (!this.#values.has(name) && setting.fallback !== undefined) {
      const fallback = setting.repeatable ? [setting.fallback] : setting.fallback
      this.#take(name, fallback, 'default')
    }
    const found = this.#values.get(name)
    if (!found) throw new Error(`The setting ${name} was never asked for.`)
    return found.value as ValueOf<C[N]>
  }

  /** One Problem for all settings that nobody has answered; undefined when none is missing. */
  missing(names: readonly (keyof C & string)[]): Problem | undefined {
    const open = names.filter((name) => !this.#values.has(name))
    if (open.length === 0) return undefined
    const lines = open.map((name) => {
      const setting = this.#catalog[name] as Setting<unknown>
      return `  ${setting.flag} ${setting.value ?? ''} or ${variableOf(setting)}: ${setting.help}`
    })
    return new Problem({
      code: 'settings-missing',
      what: open.length === 1 ? 'One setting is missing.' : `${open.length} settings are missing.`,
      why: `There is nobody here to ask (no terminal), and these have no default:\n${lines.join('\n')}`,
      next: 'Give them as flags, as variables, or in a file with --answers.',
      exit: 2,
    })
  }

  entries(): [string, Resolved][] {
    return [...this.#values]
  }

  #take(name: string, raw: RawValue | unknown, source: string): string | undefined {
    const setting = this.#catalog[name] as Setting<unknown>
    const { text, notes } = tidied(setting, raw)
    const { value, fault } = this.#check(setting, text)
    if (fault !== undefined) return fault
    if (notes.length > 0)
      this.#notes.push(`Put right: ${source}: ${notes.join(', ')} -> ${String(text)}`)
    const shown =
      setting.secret || value instanceof Secret ? undefined : (text as string | string[])
    this.#values.set(name, { value, source, text: shown })
    return undefined
  }

  #check(setting: Setting<unknown>, raw: unknown): { value?: unknown; fault?: string } {
    if (!this.#zod) throw new Error(`${setting.flag} was given before it could be checked.`)
    const result = setting.rule(this.#zod).safeParse(raw)
    if (result.success) return { value: result.data }
    const [issue] = result.error.issues
    const shown = setting.secret || typeof raw !== 'string' ? '' : `"${raw}" `
    return { fault: masked(`${shown}${issue?.message ?? 'is wrong'}`) }
  }
}

async function findRaw(name: string, setting: Setting<unknown>, sources: Sources) {
  const flag = sources.flags.get(name)
  if (flag !== undefined) {
    const raw = setting.fromFile ? await sources.readFile(String(flag), setting.flag) : flag
    return { raw, source: setting.flag }
  }
  const source = variableOf(setting)
  const variable = sources.environment[source] ?? ''
  const given = variable === '' ? undefined : fromVariable(setting, variable)
  if (given !== undefined) return { raw: given, source: source }
  const answer = sources.answers.get(name)
  return answer === undefined ? undefined : { raw: answer, source: 'answers' }
}

function tidied(setting: Setting<unknown>, raw: unknown) {
  if (typeof raw === 'string' && setting.tidy) return setting.tidy(raw)
  return { text: raw, notes: [] as readonly string[] }
}

/** A token or a secret key may have been given to the wrong flag, or stand before a host. */
function masked(text: string): string {
  const withoutUsers = text.replaceAll(/:\/\/[^\s"/?#]*@/g, '://****@')
  return withoutUsers.replaceAll(/[A-Za-z0-9_-]{40,}/g, (word) =>
    /\d/.test(word) && /[A-Za-z]/.test(word) ? '****' : word,
  )
}

function wrong(faults: readonly Fault[]): Problem {
  const lines = faults.map(({ where, message }) => `  ${where}: ${message}`)
  return new Problem({
    code: 'settings-wrong',
    what: faults.length === 1 ? 'A setting is wrong.' : `${faults.length} settings are wrong.`,
    why: `Nothing was changed.\n${lines.join('\n')}`,
    next: 'Correct it and run the same command again.',
    exit: 2,
  })
}
