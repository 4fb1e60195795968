import type { Comparison, Expression } from './expression.ts'
import { RuleLanguageError } from './rule-language-error.ts'
import { fieldNamed, type Visit } from './vocabulary.ts'
import { wildcard, wildcardReplace } from './wildcard.ts'

/** Whether the named list holds the value. */
export type IsListed = (list: string, value: string) => boolean

type Value = string | number | boolean

/** The expression's value for a visit; RuleLanguageError where only the value shows a mistake. */
export function evaluate(expression: Expression, visit: Visit, isListed: IsListed): Value {
  const value = (inner: Expression) => evaluate(inner, visit, isListed)
  switch (expression.is) {
    case 'value':
      return expression.value
    case 'field':
      return fieldNamed(expression.name, 'response').read(visit)
    case 'not':
      return value(expression.of) !== true
    case 'and':
      return value(expression.left) === true && value(expression.right) === true
    case 'or':
      return value(expression.left) === true || value(expression.right) === true
    case 'compare':
      return compare(expression.by, value(expression.left), value(expression.right))
    case 'one-of':
      return expression.values.includes(value(expression.left))
    case 'listed':
      return isListed(expression.list, String(value(expression.left)))
    case 'call':
      return call(expression.name, expression.args.map(value))
    default:
      return expression satisfies never
  }
}

function compare(by: Comparison, left: Value, right: Value): boolean {
  switch (by) {
    case 'eq':
      return left === right
    case 'ne':
      return left !== right
    case 'lt':
      return left < right
    case 'le':
      return left <= right
    case 'gt':
      return left > right
    case 'ge':
      return left >= right
    case 'contains':
      return String(left).includes(String(right))
    case 'wildcard':
    case 'strict':
      return wildcard(String(right), by === 'strict').test(String(left))
    default:
      return by satisfies never
  }
}

function call(name: string, args: readonly Value[]): Value {
  const [first = '', second = '', third = '', fourth = ''] = args.map(String)
  switch (name) {
    case 'starts_with':
      return first.startsWith(second)
    case 'ends_with':
      return first.endsWith(second)
    case 'lower':
      return first.toLowerCase()
    case 'concat':
      return args.join('')
    case 'substring':
      return Buffer.from(first)
        .subarray(Number(second), third === '' ? undefined : Number(third))
        .toString()
    case 'wildcard_replace':
      return wildcardReplace(first, second, third, fourth)
    default:
      throw new RuleLanguageError(`unknown function ${name}`)
  }
}
