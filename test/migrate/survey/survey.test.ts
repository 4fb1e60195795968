import { describe, expect, it } from 'vitest'
import { Cancelled, Problem } from '../../../src/core/problem.ts'
import { surveyMedia } from '../../../src/migrate/survey/survey.ts'
import type { MediaSurvey } from '../../../src/plan/report-schema.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'
import { found } from '../../fakes/found.ts'

const careful = { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false }

function surveying(selection = careful) {
  const world = copyWorld()
  const surveys: MediaSurvey[] = []
  const migration = { ...world.migration, selection }
  const step = surveyMedia(migration, { surveyed: (survey) => void surveys.push(survey) })
  world.source.put('accounts/avatars/1/a.png', 'avatar', 1)
  return { ...world, surveys, migration, look: () => step.look(world.at), step }
}

describe('survey', () => {
  it('changes nothing and says what is there', async () => {
    const { look, step, surveys, source, s3 } = surveying()
    source.put('media_attachments/files/1/b.png', 'attachment', 1)
    source.put('backups/dumps/1/c.zip', 'archive', 1)
    expect(found(await look())).toBe(
      'ready 3 files, 23 bytes, 2 of them to copy; about 0 s and $0.00 in the first month',
    )
    expect(step.change).toBeUndefined()
    expect(s3.objects.size).toBe(0)
    expect(surveys).toMatchObject([
      { source: '/srv/system', total: { objects: 3 }, copied: { objects: 2 } },
    ])
    expect(surveys[0]?.pace.latencyMs).toBeGreaterThan(0)
  })

  it('assumes the pace where the bucket does not answer', async () => {
    const { look, surveys, s3 } = surveying()
    s3.headBucket = async () => {
      throw new Problem({ code: 's3-403', what: 'no', why: 'no', next: 'no' })
    }
    expect((await look()).is).toBe('ready')
    expect(surveys[0]?.pace.latencyMs).toBeNull()
  })

  it('does not wait for a bucket that is silent', async () => {
    const { look, surveys, s3 } = surveying()
    s3.headBucket = () => new Promise(() => undefined)
    await look()
    expect(surveys[0]?.pace.latencyMs).toBeNull()
  })

  it.each<[string, Partial<typeof careful>, number, number, string[]]>([
    ['open', {}, 0o644, 0o644, []],
    ['suspended', {}, 0o644, 0o600, ['left out', '--with-suspended']],
    ['published', { withSuspended: true }, 0o644, 0o600, ['publishes']],
    ['all closed', {}, 0o600, 0o600, ['Only their owner']],
  ])('warns: %s', async (_, wishes, avatarMode, mode, words) => {
    const { look, source } = surveying({ ...careful, ...wishes })
    source.put('accounts/avatars/1/a.png', 'avatar', 1, avatarMode)
    source.put('media_attachments/files/1/b.png', 'attachment', 1, mode)
    const finding = await look()
    const warnings = finding.is === 'ready' ? (finding.warnings ?? []) : ['not ready']
    expect(warnings).toHaveLength(words.length === 0 ? 0 : 1)
    for (const word of words) expect(warnings[0]).toContain(word)
  })

  it('warns of what it may not read, and of private files that are copied', async () => {
    const { look, source } = surveying({ ...careful, withPrivate: true })
    source.put('backups/dumps/1/c.zip', 'archive', 1)
    source.oddities = [{ kind: 'unreadable', path: 'accounts/headers/', note: '' }]
    const finding = await look()
    expect(finding.is === 'ready' && finding.warnings?.join(' ')).toMatch(
      /1 file or folder can't be read, and would be missing.* backups\/ and imports\//,
    )
  })

  it('does not warn of what it may not read and leaves out anyway', async () => {
    const { look, source } = surveying(careful)
    source.put('accounts/avatars/1.png', 'open', 1)
    source.put('quota.group', 'of root', 1, 0o600)
    const paths = ['backups/', 'quota.group']
    const unreadable = (path: string) => ({ kind: 'unreadable', path, note: '' }) as const
    source.oddities = paths.map(unreadable)
    expect(await look()).toMatchObject({ is: 'ready', warnings: [] })
    source.oddities = [...paths, 'a/', 'b/'].map(unreadable)
    expect(await look()).toMatchObject({
      warnings: [expect.stringMatching(/^2 files or folders can't be read/)],
    })
  })

  it('says so when there is nothing', async () => {
    const { look, source } = surveying()
    source.tree.clear()
    expect(found(await look())).toBe('ready there are no files')
  })

  it('ends with Cancelled', async () => {
    const { look, stop, surveys } = surveying()
    stop.abort()
    await expect(look()).rejects.toBeInstanceOf(Cancelled)
    expect(surveys).toEqual([])
  })
})
