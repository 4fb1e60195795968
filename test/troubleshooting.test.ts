import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fresh } from '../.build/troubleshooting.mjs'

const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')

test('the page of errors is that of the sources; if not: npm run docs', async () => {
  expect(page).toBe(await fresh())
})

test('it knows most of them, or its reader has lost the sources', () => {
  expect(page.match(/^\| `/gm)?.length).toBeGreaterThan(150)
})
