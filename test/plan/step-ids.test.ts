import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cutoverOrder } from '../../src/migrate/cutover/cutover.ts'
import { rotateSteps } from '../../src/rotate/rotate.ts'
import { edgeNames } from '../../src/settings/names.ts'
import { edgeSteps } from '../../src/setup/edge.ts'
import { hostSteps, initSteps } from '../../src/setup/steps.ts'
import { readSource, sourceFiles } from '../architecture/imports.ts'

/** Rooms without steps; what has an id and a title there is a check, a rule, an answer. */
const ELSEWHERE = /^(check|plan|sandbox|services|ui)\//
const STEP = /\bid: (?:'([^']+)'|`([a-z-]+):\$\{[^`]*`),\s*title:/g

interface StepId {
  readonly file: string
  readonly id: string
}

/** The ids in a text; of `single-redirect:PREFIX` what stands before the colon. */
function idsIn(text: string): string[] {
  return [...text.matchAll(STEP)].map(([, whole, stem]) => whole ?? stem ?? '')
}

/** What a person would look for: the file's name, and those of its exports. */
function namesIn(file: string, text: string): string[] {
  const exported = [...text.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)]
  const names = exported.map(([, name = '']) => kebab(name))
  // `undoCors` takes back the step `cors`.
  return [basename(file, '.ts'), ...names, ...names.map((name) => name.replace(/^undo-/, ''))]
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function isFound({ file, id }: StepId, text: string): boolean {
  // A file named `copy` may hold `copy`, `copy-last` and `copy-after`.
  return namesIn(file, text).includes(id) || id.startsWith(`${basename(file, '.ts')}-`)
}

const files = sourceFiles().filter((file) => !ELSEWHERE.test(file))
const steps = files.flatMap((file) => idsIn(readSource(file)).map((id) => ({ file, id })))
const known = new Set(steps.map(({ id }) => id))

describe('who reads the JSON report finds the file', () => {
  test('a step bears the name of its file, or of an export of it', () => {
    expect(steps.filter((step) => !isFound(step, readSource(step.file)))).toEqual([])
  })

  test('no step is overlooked', () => {
    const makes = /\blook(\(|: ?\()/
    const delegates = /\bid: \w+\.id,\s*title: \w+\.title/
    const blind = files.filter((file) => {
      const text = readSource(file)
      const isStep = makes.test(text) && /\bStep\b/.test(text)
      return isStep && idsIn(text).length === 0 && !delegates.test(text)
    })
    expect(blind).toEqual([])
  })

  test.each([
    ['init', initSteps],
    ['init, another host', hostSteps],
    ['init --edge', edgeSteps(edgeNames)],
    ['rotate', rotateSteps({ mode: 'print', commands: [], assumeRestarted: false, graceMs: 0 })],
  ])('%s: all of its steps are among them', (_, its) => {
    expect(its.map(({ id }) => id).filter((id) => !known.has(id))).toEqual([])
  })

  test('the order of the switch names steps that there are', () => {
    expect(cutoverOrder.filter((id) => !known.has(id))).toEqual([])
  })

  test.each<[string, string, string, boolean]>([
    ['the file', 'setup/cors.ts', "id: 'cors', title: ''", true],
    ['an export', 'rotate/keys.ts', "export const newKey = { id: 'new-key', title: '' }", true],
    [
      'what is taken back',
      'undo/a.ts',
      "export function undoCors() { id: 'cors', title: '' }",
      true,
    ],
    ['one of several', 'migrate/copy.ts', "id: 'copy-last', title: ''", true],
    [
      'with what it is about',
      'redirects/a.ts',
      "export const single\nid: `single:${b}`, title: ''",
      true,
    ],
    ['neither', 'setup/cors.ts', "export const other\nid: 'last-copy', title: ''", false],
    ['a local name', 'setup/a.ts', "const cors = { id: 'cors', title: '' }", false],
  ])('a step named as %s', (_, file, text, expected) => {
    expect(idsIn(text).map((id) => isFound({ file, id }, text))).toEqual([expected])
  })
})
