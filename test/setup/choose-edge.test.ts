import { expect, test } from 'vitest'
import type { Run } from '../../src/flow/run.ts'
import { catalog, type SetupCatalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { chooseEdge } from '../../src/setup/first-look.ts'

/** What is chosen, and whether somebody was asked. */
async function choose(flags: Readonly<Record<string, string | boolean>>, more: Options = {}) {
  const { canAsk = true, storage = 'none', answer = 'recommended' } = more
  const settings = await Settings.resolve(catalog, {
    flags: new Map(Object.entries(flags)),
    environment: {},
    answers: new Map(),
    readFile: async () => '',
  })
  let asked = false
  const ui = {
    canAsk,
    async choose() {
      asked = true
      return answer
    },
  }
  await chooseEdge({ ui, settings } as unknown as Run<SetupCatalog>, { storage })
  return { asked, edge: settings.get('edge') }
}

interface Options {
  readonly canAsk?: boolean
  readonly storage?: 'r2' | 'other' | 'none'
  readonly answer?: string
}

const all = ['security-headers', 'cache-everything', 'private-folders']

test.each<[string, string, readonly string[]]>([
  ['a person takes what is recommended', 'recommended', all],
  ['a person says no', 'none', []],
])('%s', async (_, answer, edge) => {
  expect(await choose({}, { answer })).toEqual({ asked: true, edge })
})

test.each<[string, Record<string, string | boolean>, Options, readonly string[] | undefined]>([
  ['nobody is there', {}, { canAsk: false }, undefined],
  ['a run with --yes', { yes: true }, {}, undefined],
  ['a server that is on R2 already', {}, { storage: 'r2' }, undefined],
  ['an announcement', { announce: true }, {}, undefined],
  ['who has said it', { edge: 'private-folders' }, {}, ['private-folders']],
  ['who has said no', { edge: 'none' }, {}, []],
])('not asked: %s', async (_, flags, options, edge) => {
  expect(await choose(flags, options)).toEqual({ asked: false, edge })
})
