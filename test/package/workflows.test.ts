import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const github = fileURLToPath(new URL('../../.github/', import.meta.url))
const read = (path: string) => readFileSync(join(github, path), 'utf8')
const workflows = readdirSync(join(github, 'workflows')).map((name) => `workflows/${name}`)

describe.each(workflows)('%s', (path) => {
  const text = read(path)

  test('takes foreign actions by commit, and says which version that is', () => {
    const foreign = [...text.matchAll(/uses: (?!\.\/)(.*)/g)].map(([, used]) => used)
    for (const used of foreign)
      expect(used).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('may only read, unless a job says why not', () => {
    expect(parse(text).permissions).toEqual({ contents: 'read' })
    const wider = text.match(/: write\b.*/g) ?? []
    for (const line of wider) expect(line).toMatch(/: write # \w+/)
  })

  test('hands the repository token to no step that runs our dependencies', () => {
    const steps = Object.values(parse(text).jobs as Record<string, { steps?: object[] }>).flatMap(
      ({ steps = [] }) => steps as { run?: string; env?: object; with?: object }[],
    )
    const open = steps.filter(
      ({ run = '', env = {} }) => /\bnpm ci\b|\.ci\/run/.test(run) && 'GH_TOKEN' in env,
    )
    expect(open).toEqual([])
    const checkouts = text.match(/actions\/checkout/g)?.length ?? 0
    expect(text.match(/persist-credentials: false/g)?.length ?? 0).toBe(checkouts)
  })
})

test.each(readdirSync(join(github, 'ISSUE_TEMPLATE')))('%s is valid YAML', (name) => {
  expect(parse(read(`ISSUE_TEMPLATE/${name}`))).toBeTypeOf('object')
})
