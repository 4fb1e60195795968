import { describe, expect, test } from 'vitest'
import { safeFrom } from '../../src/announce/notes.ts'
import { nextStage, stageStatus } from '../../src/migrate/stages.ts'
import type { Checkpoint } from '../../src/services/checkpoint/port.ts'
import { blankCheckpoint } from '../../src/services/checkpoint/port.ts'

const nothing = blankCheckpoint
const surveyed = { at: '2026-11-20T10:00:00.000Z', objects: 1234, bytes: 5_000_000 }
const announcedAt = '2026-11-20T11:00:00.000Z'
const completeSince = '2026-11-21T12:00:00.000Z'
const switchedAt = '2026-11-28T12:00:00.000Z'
const off = { switchedOn: false }
const on = { switchedOn: true }

describe('what a run goes on with', () => {
  test.each<[string, Checkpoint | undefined, { switchedOn: boolean }, string]>([
    ['never run', undefined, off, 'survey'],
    ['surveyed', { ...nothing, surveyed }, off, 'announce'],
    ['announced', { ...nothing, surveyed, announcedAt }, off, 'copy'],
    ['copied', { ...nothing, surveyed, announcedAt, completeSince }, off, 'cutover'],
    [
      'copied but for a file',
      { ...nothing, surveyed, announcedAt, completeSince, failed: [{ key: 'a', reason: '503' }] },
      off,
      'copy',
    ],
    [
      'cut off between env file and restart',
      { ...nothing, surveyed, announcedAt, completeSince },
      on,
      'cutover',
    ],
    ['cut off, never announced', { ...nothing, surveyed, completeSince }, on, 'cutover'],
    ['switched', { ...nothing, surveyed, announcedAt, completeSince, switchedAt }, on, 'compare'],
    [
      'compared before the switch alone',
      { ...nothing, surveyed, completeSince, switchedAt, equalAt: completeSince },
      on,
      'compare',
    ],
  ])('%s', (_, checkpoint, { switchedOn }, wanted) => {
    expect(nextStage(stageStatus(checkpoint, { switchedOn }))).toBe(wanted)
  })

  test('compares again when all is done', () => {
    const done = { ...nothing, surveyed, completeSince, switchedAt, equalAt: switchedAt }
    const statuses = stageStatus(done, on)
    expect(statuses.filter(({ state }) => state === 'next')).toEqual([])
    expect(nextStage(statuses)).toBe('compare')
  })
})

describe('redirects, once Mastodon is switched', () => {
  const switched = { ...nothing, surveyed, completeSince, switchedAt, equalAt: switchedAt }
  const redirects = (checkpoint: Checkpoint, at: Parameters<typeof stageStatus>[1]) =>
    stageStatus(checkpoint, at).find(({ stage }) => stage === 'redirects')?.state

  test('are next where the media came from disk, until they are there', () => {
    expect(redirects(switched, { ...on, fromDisk: true })).toBe('next')
    expect(redirects({ ...switched, redirectedAt: switchedAt }, { ...on, fromDisk: true })).toBe(
      'done',
    )
    expect(redirects({ ...nothing, completeSince }, { ...off, fromDisk: true })).toBe('optional')
  })

  test('are as you like after another bucket, and never begun unasked', () => {
    expect(redirects(switched, on)).toBe('optional')
    expect(nextStage(stageStatus(switched, { ...on, fromDisk: true }))).toBe('compare')
  })
})

test('clean-up and redirects never stand in the way', () => {
  const states = stageStatus(undefined, off).map(({ stage, state }) => `${stage} ${state}`)
  expect(states).toEqual([
    'survey next',
    'announce open',
    'cleanup optional',
    'copy open',
    'cutover open',
    'compare open',
    'redirects optional',
  ])
})

test('the day from which a switch is safe is a week after the announcement', () => {
  expect(safeFrom(announcedAt).toISOString()).toBe('2026-11-27T11:00:00.000Z')
  const announce = stageStatus({ ...nothing, announcedAt }, off).find(
    ({ stage }) => stage === 'announce',
  )
  expect(announce?.note).toBe('since 2026-11-20; a switch is safe from 2026-11-27')
})
