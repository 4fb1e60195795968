import { describe, expect, it } from 'vitest'
import type { EnvTrace } from '../../src/setup/undoing.ts'
import { undoEnvFile, undoPreparedFile } from '../../src/undo/env-file.ts'
import { clean, undoOf } from '../fakes/fake-undo.ts'
import { ENV, envFileOf, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const file = envFileOf('A=1\nS3_BUCKET=example-media\n')
const backup = `${ENV}.bak`
const write = (how: 'whole' | 'lines' | 'cut', text = 'A=1\n'): EnvTrace => ({
  role: 'main',
  file,
  restoration: { is: 'write', text, how, backup: how === 'cut' ? undefined : backup },
})
const remove: EnvTrace = { role: 'main', file, restoration: { is: 'remove' } }
const foreign: EnvTrace = { role: 'main', file, restoration: { is: 'foreign' } }

describe('undo of the env file', () => {
  it.each<[string, EnvTrace, string]>([
    ['nothing of ours', clean, `ready no settings of the bucket example-media in ${ENV}`],
    ['the backup', write('whole'), `change put ${ENV} back as it was (${backup})`],
    [
      'lines of the backup',
      write('lines'),
      `change put the storage lines of ${ENV} back (from ${backup}); your other changes stay`,
    ],
    [
      'no backup',
      write('cut'),
      `change take the storage lines out of ${ENV}; there is no backup of the time before`,
    ],
    ['made by init', remove, `change put ${ENV} aside; init made it`],
    [
      'not to be written',
      { ...write('whole'), file: envFileOf('', { writable: false }) },
      'blocked env-file-not-writable',
    ],
  ])('%s', async (_, trace, expected) => {
    expect(found(await undoEnvFile(undoOf({}, { traces: [trace] })).look(worldOf()))).toBe(expected)
  })

  it('stays when somebody else wrote it', async () => {
    const finding = await undoEnvFile(undoOf({}, { traces: [foreign] })).look(worldOf())
    expect(finding.is).toBe('later')
  })

  it.each([
    ['A=1\n', 'to the disk of this server'],
    ['S3_ENABLED=true\n', 'to the storage of before'],
    ['export S3_ENABLED="true" # since May\n', 'to the storage of before'],
    ['S3_ENABLED=true\nS3_ENABLED=false\n', 'to the disk of this server'],
  ])('in use, before it was %j: it warns', async (text, words) => {
    const undo = undoOf({}, { inUse: true, traces: [write('whole', text)] })
    const finding = await undoEnvFile(undo).look(worldOf())
    expect(found(finding)).toMatch(/^change \[public\]/)
    expect(warningsOf(finding).join()).toContain(words)
  })

  it('writes, and tells what changed', async () => {
    const world = worldOf()
    const facts = await undoEnvFile(undoOf({}, { traces: [write('whole')] })).change?.(world)
    expect(world.envWriter.written).toEqual(['A=1\n'])
    expect(facts?.envWritten).toEqual({
      file: ENV,
      backup: `${ENV}.backup`,
      changed: ['S3_BUCKET'],
      diff: ['- S3_BUCKET=example-media'],
    })
    const done = await undoEnvFile(undoOf({}, { traces: [clean] })).look({
      ...world,
      facts: facts ?? {},
    })
    expect(found(done)).toBe(`ready ${ENV} is put back`)
  })

  it('sets a file of its own aside', async () => {
    const world = worldOf()
    const undo = undoOf({}, { traces: [remove] })
    const facts = await undoEnvFile(undo).change?.(world)
    expect(undo.aside).toEqual([ENV])
    expect(world.envWriter.written).toEqual([])
    expect(facts?.envWritten?.backup).toBe(`${ENV}.backup`)
  })
})

describe('undo of the prepared settings', () => {
  it.each<[string, EnvTrace[], string]>([
    ['none', [clean], 'ready none of this setup beside the env file'],
    ['of another', [{ ...foreign, role: 'aside' }], 'ready none of this setup beside the env file'],
    ['ours', [{ ...remove, role: 'aside' }], `change put ${ENV} aside; init made it`],
    [
      'with other lines',
      [{ ...write('cut'), role: 'aside' }],
      `change take the storage lines out of ${ENV}`,
    ],
    [
      'not to be written',
      [{ ...remove, role: 'aside', file: envFileOf('', { writable: false }) }],
      'blocked env-file-not-writable',
    ],
  ])('%s', async (_, traces, expected) => {
    expect(found(await undoPreparedFile(undoOf({}, { traces })).look(worldOf()))).toBe(expected)
  })

  it('is set aside, or written without our lines', async () => {
    const world = worldOf()
    const ours = undoOf({}, { traces: [{ ...remove, role: 'aside' }] })
    await undoPreparedFile(ours).change?.(world)
    expect(ours.aside).toEqual([ENV])
    await undoPreparedFile(undoOf({}, { traces: [{ ...write('cut'), role: 'aside' }] })).change?.(
      world,
    )
    expect(world.envWriter.written).toEqual(['A=1\n'])
  })
})
