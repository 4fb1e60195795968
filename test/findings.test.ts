import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'findings')
const scripts = readdirSync(folder)
const page = readFileSync(join(root, 'docs/surprises.md'), 'utf8')

test('the page names every script, and none that is not there', () => {
  const named = [...page.matchAll(/\(\.\.\/findings\/([\w.-]+)\)/g)].map(([, name = '']) => name)
  expect([...new Set(named)].sort()).toEqual(scripts.toSorted())
})

test('each row tells version and day', () => {
  const rows = page.split('\n').filter((line) => /^\| (?!What surprises)/.test(line))
  expect(rows.length).toBeGreaterThanOrEqual(12)
  const seen = rows.map((row) => row.split(' | ')[1] ?? '')
  expect(seen.filter((text) => !/\d+\.?\d*.*; \d{4}-\d\d-\d\d$/.test(text))).toEqual([])
})

describe.each(scripts)('%s', (name) => {
  const path = join(folder, name)
  const text = readFileSync(path, 'utf8')

  test('can be run', () => {
    expect(statSync(path).mode & 0o111).toBe(0o111)
    expect(text).toMatch(/^#!\/usr\/bin\/env bash\n#/)
    expect(text).toContain('\nset -euo pipefail\n')
    execFileSync('bash', ['-n', path])
  })

  test('says at its head what was seen, when, and when it ends with 1', () => {
    const head = /^(?:#.*\n)+/.exec(text)?.[0] ?? ''
    for (const words of [/20\d\d-\d\d-\d\d/, /Output seen/, /Exits 1 when/]) {
      expect(head).toMatch(words)
    }
  })

  test('leaves nothing behind, and talks to this machine alone', () => {
    expect(text).toContain('mktemp -d')
    expect(text).toMatch(/^\s*trap .*rm -rf "\$work"/m)
    const hosts = [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host = '']) => host)
    expect(hosts.filter((host) => !/^127\.0\.0\.1$|\.example$/.test(host))).toEqual([])
  })
})
