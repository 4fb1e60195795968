import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: object; readonly resolved?: string }>
  >
}

const text = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')
const { packages } = JSON.parse(text) as Lockfile

/** npm leaves out what its registry could not give; `npm ci` then refuses the file. */
test('holds the optional packages of every platform', () => {
  const wanted = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ at, name })),
  )
  expect(wanted.length).toBeGreaterThan(20)
  const missing = wanted.filter(
    ({ at, name }) =>
      !(`node_modules/${name}` in packages) && !(`${at}/node_modules/${name}` in packages),
  )
  expect(missing).toEqual([])
})

test('names no registry', () => {
  const named = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)
  expect(named.map(([path]) => path)).toEqual([])
})
