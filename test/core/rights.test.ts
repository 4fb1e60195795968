import { describe, expect, test } from 'vitest'
import { lackOfRights } from '../../src/core/rights.ts'
import { envFileNotWritable } from '../../src/services/mastodon/port.ts'
import { readSource, sourceFiles } from '../architecture/imports.ts'

const denied = Object.assign(new Error('no'), { code: 'EACCES' })

describe('root is not told to use sudo', () => {
  test.each([
    [0, 'This runs as root already'],
    [1000, 'Run the same command with sudo'],
  ])('user %i', (user, words) => {
    const told = [
      lackOfRights('/e f', undefined, user),
      lackOfRights('/e f', 'or add --print', user),
      String(envFileNotWritable('/e', { user, needed: 'It is needed.' }).next),
      String(envFileNotWritable('/e', { user, cause: denied }).next),
      String(envFileNotWritable('/e', { user, instead: 'or add --print' }).next),
    ]
    for (const next of told) {
      expect(next).toContain(words)
      expect(next.includes('sudo')).toBe(user !== 0)
    }
    expect(told[1]).toContain(', or add --print')
  })

  test('what root is told of a path is quoted', () => {
    expect(lackOfRights('/e f', undefined, 0)).toContain("findmnt -T '/e f'; ls -ldZ '/e f'")
  })

  test('the words stand in one place', () => {
    const files = sourceFiles().filter((file) => /with sudo/.test(readSource(file)))
    expect(files.filter((file) => !/env-hindrance|core\/rights/.test(file))).toEqual([])
  })
})
