import { expect, test } from 'vitest'
import { HeaderSample, SAMPLED } from '../../../src/migrate/compare/headers.ts'

const numbered = (folder: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${folder}/${String(at).padStart(6, '0')}/a.png`)

function sample(keys: readonly string[]): string[] {
  const chosen = new HeaderSample()
  for (const key of keys) chosen.offer(key)
  return chosen.keys()
}

test('the first of each class is in it, and every class has its share', () => {
  const classes = ['accounts/avatars', 'cache/accounts/avatars', 'cache/custom_emojis/images']
  const keys = classes.flatMap((name) => numbered(name, 5000))
  const chosen = sample(keys)
  expect(chosen).toHaveLength(30)
  for (const name of classes) {
    expect(chosen).toContain(`${name}/000000/a.png`)
    const own = chosen.filter((key) => key.startsWith(name))
    expect(own).toHaveLength(10)
    expect(own.some((key) => key > `${name}/002500`)).toBe(true)
  }
  expect(new Set(chosen).size).toBe(chosen.length)
})

test('never more than 50, from whatever tree', () => {
  const keys = Array.from({ length: 500 }, (_, at) => numbered(`a${at}/b`, 20)).flat()
  expect(sample(keys)).toHaveLength(SAMPLED)
  expect(sample(keys)).toEqual(sample(keys))
})

test.each([[[]], [['a']], [['a/b', 'cache/x']]])('few keys are all in it: %j', (keys) => {
  expect(sample(keys).sort()).toEqual(keys)
})
