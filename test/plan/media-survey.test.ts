import { describe, expect, it } from 'vitest'
import { mediaSurveySchema } from '../../src/plan/report-schema.ts'
import { mediaFile, OLD } from '../fakes/media-file.ts'
import { server, surveyOf } from '../migrate/survey/surveys.ts'

const total = [...server()].reduce((sum, { size }) => sum + size, 0)

describe('a survey', () => {
  it('is what its schema says, and survives JSON', () => {
    const survey = surveyOf({ odd: [['hidden', '.gitkeep']] })
    expect(mediaSurveySchema.strict().parse(JSON.parse(JSON.stringify(survey)))).toEqual(survey)
  })

  it('counts every file once', () => {
    const { classes, total: all, copied, leftOut } = surveyOf()
    const sums = (amounts: readonly { objects: number; bytes: number }[]) => ({
      objects: amounts.reduce((sum, { objects }) => sum + objects, 0),
      bytes: amounts.reduce((sum, { bytes }) => sum + bytes, 0),
    })
    expect(all).toEqual({ objects: [...server()].length, bytes: total })
    expect(sums(classes)).toEqual(all)
    expect(sums([copied, ...Object.values(leftOut)])).toEqual(all)
    expect(classes.map((row) => row.class)).toEqual([
      ...['avatars', 'headers', 'attachments', 'emoji', 'siteUploads', 'cachedAvatars'],
      ...['cachedAttachments', 'cachedEmoji', 'previewCards', 'backups', 'other'],
    ])
  })

  it('leaves out suspended and private, and says what only-local would save', () => {
    const { leftOut, suspended, onlyLocal, copied, private: closed } = surveyOf()
    expect(leftOut).toEqual({
      private: { objects: 2, bytes: 1_600_000_000 },
      suspended: { objects: 4, bytes: 6_000_000 },
    })
    expect(suspended.examples).toHaveLength(4)
    expect(closed.objects).toBe(2)
    expect(onlyLocal?.saves.objects).toBe(28_500)
    expect(onlyLocal?.copied.objects).toBe(copied.objects - 28_500)
    expect(onlyLocal?.saves.hours).toBeGreaterThan(0)
  })

  it('only-local has nothing left to save', () => {
    const { leftOut, onlyLocal } = surveyOf({ onlyLocal: true })
    expect(leftOut.cache?.objects).toBe(28_500)
    expect(onlyLocal).toBeNull()
    expect(surveyOf({ files: [mediaFile('accounts/avatars/1/a.png')] }).onlyLocal).toBeNull()
  })

  it('copies what is asked for, and still says what is suspended', () => {
    const {
      leftOut,
      suspended,
      copied,
      total: all,
    } = surveyOf({
      withPrivate: true,
      withSuspended: true,
    })
    expect([leftOut, copied]).toEqual([{}, all])
    expect(suspended.objects).toBe(4)
  })

  it('takes 0600 everywhere for the umask, whenever that comes to light', () => {
    const files = [...server()].map((file) => ({ ...file, mode: 0o600 }))
    const { usualModes, suspended, leftOut } = surveyOf({ files, withPrivate: true })
    expect([usualModes, suspended.objects, leftOut]).toEqual(['closed', 0, {}])
    const last = surveyOf({ files: [...files, mediaFile('accounts/avatars/z.png')] })
    expect([last.usualModes, last.copied.objects]).toEqual(['open', 1])
  })

  it('knows what is being stored from what is suspended', () => {
    const now = { ...mediaFile('media_attachments/files/1/a.png', 0o600), changedAt: Date.now() }
    const { leftOut } = surveyOf({
      files: [
        mediaFile('accounts/avatars/1/a.png'),
        { ...now, changedAt: Date.UTC(2026, 10, 22, 9, 59) },
        { ...now, changedAt: OLD },
      ],
    })
    expect(leftOut.unfinished?.objects).toBe(1)
    expect(leftOut.suspended?.objects).toBe(1)
  })

  it('counts the parts of large files', () => {
    const files = [mediaFile('media_attachments/files/1/a.mp4', 0o644, 300_000_000)]
    expect(surveyOf({ files }).costs.classA).toBe(2 + 36 + 1 + 1)
  })

  it('keeps 20 names, however many there are', () => {
    const odd = Array.from({ length: 500 }, (_, at) => ['unreadable', `a/${at}`] as const)
    const files = Array.from({ length: 500 }, (_, at) => mediaFile(`a\n${at}`))
    const { oddities, oddNames } = surveyOf({ odd, files })
    expect(oddities).toMatchObject([{ kind: 'unreadable', count: 500 }])
    expect(oddities[0]?.examples).toHaveLength(20)
    expect([oddNames.objects, oddNames.examples.length]).toEqual([500, 20])
  })

  it('of a bucket: modes say nothing', () => {
    const files = [...server()].map((file) => ({ ...file, mode: undefined }))
    const { kind, usualModes, suspended } = surveyOf({ files, kind: 's3' })
    expect([kind, usualModes, suspended.objects]).toEqual(['s3', 'open', 0])
  })
})
