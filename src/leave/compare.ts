import { bytesOf, count, counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import type { Finding, StepIn } from '../plan/step.ts'
import { warned } from './copy.ts'
import type { Leaving } from './leaving.ts'
import { lookAtSides, type Sides } from './sides.ts'

/** Ready when the disk holds all of the bucket; changes neither. */
export function compareWithDisk(
  at: Leaving,
  { checksum }: { readonly checksum: boolean },
): StepIn<unknown> {
  return {
    id: 'compare',
    title: 'Both sides',

    async look(): Promise<Finding> {
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

function notAll({ lineFor, landing }: Leaving, { missing, differs }: Sides): Problem {
  const parts = [
    missing.objects > 0 ? `${count(missing.objects)} not there` : '',
    differs.objects > 0 ? `${count(differs.objects)} not the same` : '',
  ].filter((part) => part !== '')
  const [example = ''] = [...missing.examples, ...differs.examples]
  const aside = differs.objects > 0 ? ' What is not the same has to be put aside first.' : ''
  return new Problem({
    code: 'disk-not-equal',
    what: `${landing.folder} does not hold all of the bucket yet.`,
    why: `Of the objects: ${parts.join(', ')}; for example ${JSON.stringify(example)}.${aside}`,
    next: prose`Copy, then compare again:\n  ${lineFor('copy')}`,
  })
}
