import { expect } from 'vitest'
import { copyMedia } from '../../../src/migrate/copy/copy.ts'
import type { Facts } from '../../../src/plan/step.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'

export const HOUR = 3_600_000
export const NOON = Date.UTC(2026, 10, 22, 10)
export const OLD = NOON - 48 * HOUR

export type CopyWorld = ReturnType<typeof copyWorld>

export function filled(count = 25): CopyWorld {
  const world = copyWorld()
  for (let nth = 0; nth < count; nth += 1) {
    world.source.put(`files/${String(nth).padStart(3, '0')}.png`, `text ${nth}`, OLD + nth)
  }
  return world
}

/** One run of the program: look, change, look. */
export async function run({ migration, at }: CopyWorld, round?: Parameters<typeof copyMedia>[1]) {
  const step = copyMedia(migration, round)
  const before = await step.look(at)
  if (before.is !== 'change') return { before, after: before, facts: {} as Partial<Facts> }
  const facts: Partial<Facts> = (await step.change?.(at)) ?? {}
  return { before, after: await step.look(at), facts }
}

export function expectEqual({ source, s3 }: CopyWorld): void {
  const here = [...source.tree.values()].map(({ key, text }) => [key, text])
  const there = [...s3.objects].map(([key, { body }]) => [key, Buffer.from(body).toString()])
  expect(new Map(there as [string, string][])).toEqual(new Map(here as [string, string][]))
}

export const lists = ({ s3 }: CopyWorld) =>
  s3.calls.filter((call) => call.startsWith('page')).length
