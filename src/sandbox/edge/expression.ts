import type { ValueType } from './vocabulary.ts'

export type Comparison =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'contains'
  | 'wildcard'
  | 'strict'

/** An expression taken apart. */
export type Expression = { readonly type: ValueType } & (
  | { readonly is: 'value'; readonly value: string | number | boolean }
  | { readonly is: 'field'; readonly name: string }
  | { readonly is: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: 'not'; readonly of: Expression }
  | { readonly is: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly is: 'compare'
      readonly by: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly is: 'one-of'; readonly left: Expression; readonly values: readonly unknown[] }
  | { readonly is: 'listed'; readonly left: Expression; readonly list: string }
)
