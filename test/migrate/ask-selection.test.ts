import { describe, expect, test } from 'vitest'
import { askCleanup, askSelection, chooseSelection } from '../../src/migrate/ask.ts'
import type { MigrateRun } from '../../src/migrate/migration.ts'
import { migrateCatalog } from '../../src/migrate/settings.ts'
import { Settings } from '../../src/settings/resolve.ts'
import type { Choice } from '../../src/ui/port.ts'
import { server, surveyOf } from './survey/surveys.ts'

const survey = surveyOf({ files: server() })
const everything = { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false }

/** A person who answers by the first words of what is asked; each question is noted. */
async function person(flags: Record<string, unknown>, answers: Record<string, string | boolean>) {
  const settings = await Settings.resolve(migrateCatalog, {
    flags: new Map(Object.entries(flags)) as never,
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('nothing to read')),
  })
  const asked: string[] = []
  const answer = (question: string) => {
    asked.push(question)
    const key = Object.keys(answers).find((words) => question.includes(words))
    if (key === undefined) throw new Error(`Nobody expected: ${question}`)
    return answers[key]
  }
  const ui = {
    say: () => undefined,
    choose: async ({ message }: Choice) => answer(message),
    agree: async (question: string) => answer(question) === true,
  }
  return { run: { ui, settings } as unknown as MigrateRun, asked, settings }
}

describe('before the first copy', () => {
  test('everything, and nothing that would be published unasked', async () => {
    const { run, asked } = await person(
      {},
      { 'What should be copied': 'all', suspended: false, private: false },
    )
    await askSelection(run, survey)
    expect(asked).toHaveLength(3)
    expect(asked[1]).toMatch(/^4 files .*suspended users/)
    expect(asked[2]).toMatch(/^2 files in backups\/ and imports\//)
    expect(chooseSelection(run, undefined)).toEqual(everything)
  })

  test('without media of other servers, which is cleared first', async () => {
    const { run, settings } = await person(
      {},
      { 'What should be copied': 'local', forget: true, suspended: true, private: true },
    )
    await askSelection(run, survey)
    expect(chooseSelection(run, undefined)).toEqual({
      onlyLocal: true,
      skip: [],
      withPrivate: true,
      withSuspended: true,
    })
    expect(settings.source('cleanCache')).toBe('you')
  })

  test('flags have answered already', async () => {
    const flags = { onlyLocal: true, withPrivate: true, withSuspended: true }
    const { run, asked } = await person(flags, {})
    await askSelection(run, survey)
    expect(asked).toEqual([])
  })
})

describe('a later run', () => {
  const rules = JSON.stringify({ ...everything, onlyLocal: true })
  const checkpoint = { selection: rules } as Parameters<typeof chooseSelection>[1]

  test('without flags goes on with what was chosen', async () => {
    const { run } = await person({}, {})
    expect(chooseSelection(run, checkpoint)).toEqual({ ...everything, onlyLocal: true })
  })

  test('with a flag chooses anew', async () => {
    const { run } = await person({ skip: ['cache/preview_cards/'] }, {})
    expect(chooseSelection(run, checkpoint)).toEqual({
      ...everything,
      skip: ['cache/preview_cards/'],
    })
  })

  test.each(['', 'x', 'null', '7'])('notes that say %j are no choice', async (selection) => {
    const { run } = await person({}, {})
    const broken = { selection } as Parameters<typeof chooseSelection>[1]
    expect(chooseSelection(run, broken)).toEqual(everything)
  })
})

describe('what to clean up', () => {
  test('nothing unless somebody says so', async () => {
    const { run } = await person(
      {},
      { Attachments: false, Pictures: false, 'database does not know': false },
    )
    expect(await askCleanup(run)).toBe(false)
  })

  test('each yes is a flag', async () => {
    const { run, settings } = await person(
      {},
      { Attachments: true, 'nobody here follows': true, 'link previews': false, database: false },
    )
    expect(await askCleanup(run)).toBe(true)
    expect(settings.get('cleanMedia')).toBe(7)
    expect(settings.on('cleanProfiles')).toBe(true)
    expect(settings.get('cleanCards')).toBeUndefined()
    expect(settings.on('cleanOrphans')).toBe(false)
  })

  test('is not asked where flags say it', async () => {
    const { run, asked } = await person({ cleanOrphans: true }, {})
    expect(await askCleanup(run)).toBe(true)
    expect(asked).toEqual([])
  })
})
