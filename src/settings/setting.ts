import type * as z from 'zod'

/** A setting, told once: it feeds parsing, help, questions, checks, errors and the README's table. */
export interface Setting<T> {
  readonly flag: `--${string}`
  /** Placeholder of the flag's value, e.g. `HOST`; absent for a switch. */
  readonly value?: string
  readonly env?: string
  /** One line. */
  readonly help: string
  /** Checks text (or a list of texts, or true) and gives the typed value. */
  readonly rule: z.ZodType<T>
  /** Puts harmless mistakes right before the rule is asked; what was put right is said. */
  readonly tidy?: (text: string) => Tidied
  readonly secret?: true
  readonly repeatable?: true
  /** The flag names a file (`-`: standard input) that holds the value. */
  readonly fromFile?: true
  /** Shown in help and used where nothing else answers. */
  readonly fallback?: string
  /** Shown in help instead of `fallback` when the default is worked out. */
  readonly fallbackHelp?: string
  /** May stand in `--answers`. False for where things are read and printed. */
  readonly answerable?: false
  readonly group: SettingGroup
  readonly question?: { readonly message: string; readonly hint?: string }
}

export type SettingGroup =
  | 'What to set up'
  | 'What to take back'
  | 'What to rotate'
  | 'What to migrate'
  | 'What to redirect'
  | 'How to clean up'
  | 'How to cut over'
  | 'Where'
  | 'The access key'
  | 'Output'
  | 'Other worlds'

export interface Tidied {
  readonly text: string
  /** What was put right, e.g. `left out "https://"`. */
  readonly notes: readonly string[]
}

export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}

export type Catalog = Readonly<Record<string, Setting<unknown>>>
export type ValueOf<S> = S extends Setting<infer T> ? T : never
