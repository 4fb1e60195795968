import { expect, test } from 'vitest'
import { apply } from '../../src/plan/apply.ts'
import { inMinting, inSetup, type PlaceWorld, type Step, type StepIn } from '../../src/plan/step.ts'
import { survey } from '../../src/plan/survey.ts'
import { silent } from '../fakes/fake-steps.ts'
import { setupOf, worldOf } from '../fakes/fake-world.ts'

const inThePlace: Step<'place'> = {
  id: 'in-the-place',
  title: 'In the place',
  look: async ({ place }) => ({ is: 'ready', note: place.mediaHost }),
}
const inTheZone: Step<'setup'> = {
  id: 'in-the-zone',
  title: 'In the zone',
  look: async ({ setup }) => ({ is: 'ready', note: setup.zone.name }),
}

/** What a command has that knows of no token and no zone. */
function placeWorld(): PlaceWorld {
  const { setup: _, minting: __, ...world } = worldOf()
  return world
}

test('a step that needs a place runs wherever there is one', async () => {
  const steps: readonly StepIn<PlaceWorld>[] = [inThePlace]
  const { outcomes } = await apply(steps, placeWorld(), silent())
  expect(outcomes.map(({ note }) => note)).toEqual(['files.example.com'])
  const plan = await survey([inThePlace, inTheZone], worldOf())
  expect(plan.items.map(({ finding }) => 'note' in finding && finding.note)).toEqual([
    'files.example.com',
    'example.com',
  ])
})

test('a step that needs a zone is refused by the compiler where there is none', async () => {
  // @ts-expect-error There is no setup in that world.
  const steps: readonly StepIn<PlaceWorld>[] = [inTheZone]
  await expect(survey(steps, placeWorld())).rejects.toThrow(TypeError)
})

test('place, minting and setup are one and the same', () => {
  const setup = setupOf()
  expect(inSetup(setup)).toEqual({ place: setup, minting: setup, setup })
  expect(inMinting(setup)).toEqual({ place: setup, minting: setup })
})
