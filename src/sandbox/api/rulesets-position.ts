import type { SandboxRule } from '../edge/state.ts'
import { Refusal } from './refusal.ts'
import { isObject } from './request.ts'

/** Where a rule should stand: before or after another one, or at a place counted from 1. */
type Position = { readonly before?: string; readonly after?: string; readonly index?: number }

export function readPosition(value: unknown): Position | undefined {
  if (value === undefined) return undefined
  if (!isObject(value) || Object.keys(value).length !== 1) throw bad()
  const { before, after, index } = value
  if (typeof before === 'string') return { before }
  if (typeof after === 'string') return { after }
  if (Number.isInteger(index) && Number(index) >= 1) return { index: Number(index) }
  throw bad()
}

/** The rules with the one of that id at its new place. An empty id means first, or last. */
export function moved(
  rules: readonly SandboxRule[],
  id: string,
  position: Position | undefined,
): SandboxRule[] {
  const rule = rules.find((one) => one.id === id)
  if (position === undefined || rule === undefined) return [...rules]
  const others = rules.filter((one) => one !== rule)
  const { before, after, index } = position
  const place = (other: string) => {
    const found = others.findIndex((one) => one.id === other)
    if (found < 0) throw new Refusal('no-rule')
    return found
  }
  let at = (index ?? 1) - 1
  if (before !== undefined) at = before === '' ? 0 : place(before)
  if (after !== undefined) at = after === '' ? others.length : place(after) + 1
  return others.toSpliced(at, 0, rule)
}

function bad(): Refusal {
  return new Refusal('rule-body', 'position needs one of before, after, index')
}
