import { bytesOf, counted } from '../core/amounts.ts'
import { prose } from '../core/to-type.ts'
import type { Facts, Finding, StepIn, World } from '../plan/step.ts'
import type { Leaving } from './leaving.ts'
import { lookAtSides, type Sides } from './sides.ts'
import { lacks, notAll, warned } from './warnings.ts'

/** Ready when the destination holds all of the bucket; changes neither. */
export function compareSides(
  at: Leaving,
  { checksum, after }: { readonly checksum: boolean; readonly after?: keyof Facts },
): StepIn<Pick<World, 'facts'>> {
  return {
    id: 'compare',
    title: 'Both sides',

    async look({ facts }): Promise<Finding> {
      if (after !== undefined && facts[after] === undefined) {
        const what = at.there.kind === 'disk' ? 'bucket and disk' : 'both buckets'
        return { is: 'waiting', on: after, will: `compare ${what}, file by file` }
      }
      const sides = await lookAtSides(at, { checksum })
      at.tell('')
      if (lacks(sides)) return { is: 'blocked', problem: notAll(at, sides) }
      const note = equal(sides, checksum)
      return { is: 'ready', note, ...warned(at, sides) }
    },
  }
}

function equal({ same, sizesOnly }: Sides, checksum: boolean): string {
  const told = (objects: number, bytes: number) => `${counted(objects, 'file')}, ${bytesOf(bytes)}`
  const compared = same.objects - sizesOnly.objects
  if (!checksum || (compared === 0 && same.objects > 0))
    return `names and sizes are equal: ${told(same.objects, same.bytes)}`
  const contents = `contents are equal: ${told(compared, same.bytes - sizesOnly.bytes)}`
  if (sizesOnly.objects === 0) return contents
  return `${contents}; sizes only: ${told(sizesOnly.objects, sizesOnly.bytes)}`
}

/** Requests that are free in a month, and what a million more costs (R2's prices, November 2026). */
const FREE_READS = 10_000_000
const DOLLARS_A_MILLION = 0.36

/** What would come, what is there already, and whether there is room. Looks only. */
export function survey(at: Leaving): StepIn<unknown> {
  const { there } = at
  return {
    id: 'survey',
    title: there.kind === 'disk' ? 'What would come back' : 'What would go on',

    async look(): Promise<Finding> {
      const sides = await lookAtSides(at)
      at.tell('')
      const { missing, renewed, same } = sides
      const objects = missing.objects + renewed.objects
      const bytes = missing.bytes + renewed.bytes
      const free = await there.free()
      const room = free === undefined ? '' : `, where ${bytesOf(free)} are free`
      const note = prose`${counted(objects, 'file')} (${bytesOf(bytes)}) would come to ${there.name}${room}; ${counted(same.objects, 'file')} (${bytesOf(same.bytes)}) are there already. ${costOf(at, objects)}`
      return { is: 'ready', note, ...warned(at, sides) }
    },
  }
}

/** Traffic out of R2 costs nothing. */
function costOf({ there }: Leaving, reads: number): string {
  const paid = Math.max(0, reads - FREE_READS)
  const dollars = (paid / 1_000_000) * DOLLARS_A_MILLION
  const ofR2 = there.kind === 'disk' ? 'It costs' : 'On R2 it costs'
  const ofThem =
    there.kind === 'disk' ? '' : ' What uploads and storage cost there, the new provider tells.'
  return paid === 0
    ? `${ofR2} nothing: that many reads a month are free, and so is the traffic.${ofThem}`
    : `The reads beyond the free ones cost about $${dollars.toFixed(2)}; the traffic is free.${ofThem}`
}
