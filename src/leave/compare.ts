import { bytesOf, counted } from '../core/amounts.ts'
import { prose } from '../core/to-type.ts'
import type { Facts, Finding, StepIn, World } from '../plan/step.ts'
import type { Leaving } from './leaving.ts'
import { lookAtSides, notAll, warned } from './sides.ts'

/** Ready when the disk holds all of the bucket; changes neither. */
export function compareWithDisk(
  at: Leaving,
  { checksum, after }: { readonly checksum: boolean; readonly after?: keyof Facts },
): StepIn<Pick<World, 'facts'>> {
  return {
    id: 'compare',
    title: 'Both sides',

    async look({ facts }): Promise<Finding> {
      if (after !== undefined && facts[after] === undefined) {
        return { is: 'waiting', on: after, will: 'compare bucket and disk, file by file' }
      }
      const sides = await lookAtSides(at, { checksum })
      at.tell('')
      const { same, missing, differs } = sides
      if (missing.objects + differs.objects > 0) {
        return { is: 'blocked', problem: notAll(at, sides) }
      }
      const how = checksum ? 'contents are equal' : 'names and sizes are equal'
      const note = `${how}: ${counted(same.objects, 'file')}, ${bytesOf(same.bytes)}`
      return { is: 'ready', note, ...warned(sides) }
    },
  }
}

/** Requests that are free in a month, and what a million more costs (R2's prices, November 2026). */
const FREE_READS = 10_000_000
const DOLLARS_A_MILLION = 0.36

/** What would come back, what is there already, and whether there is room. Looks only. */
export function survey(at: Leaving): StepIn<unknown> {
  return {
    id: 'survey',
    title: 'What would come back',

    async look(): Promise<Finding> {
      const sides = await lookAtSides(at)
      at.tell('')
      const free = await at.landing.free()
      const { missing, same } = sides
      const { folder } = at.landing
      const note = prose`${counted(missing.objects, 'file')} (${bytesOf(missing.bytes)}) would come to ${folder}, where ${bytesOf(free)} are free; ${counted(same.objects, 'file')} (${bytesOf(same.bytes)}) are there already. ${costOf(missing.objects)}`
      return { is: 'ready', note, ...warned(sides) }
    },
  }
}

/** Traffic out of R2 costs nothing. */
function costOf(reads: number): string {
  const paid = Math.max(0, reads - FREE_READS)
  const dollars = (paid / 1_000_000) * DOLLARS_A_MILLION
  return paid === 0
    ? 'It costs nothing: that many reads a month are free, and so is the traffic.'
    : `The reads beyond the free ones cost about $${dollars.toFixed(2)}; the traffic is free.`
}
