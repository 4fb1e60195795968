import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { reportJsonSchema, reportSchema } from '../../src/plan/report-schema.ts'
import { jsonUi } from '../../src/ui/json.ts'
import { report, tellRun } from '../fakes/a-run.ts'
import { Screen } from './terminal.ts'

function toldRun(quiet: boolean) {
  const [stdout, stderr] = [new Screen(), new Screen()]
  tellRun(jsonUi({ stdout, stderr, quiet }))
  return { stdout: stdout.written, stderr: stderr.written }
}

describe('the JSON voice', () => {
  it('standard output is one report, as the schema says', () => {
    const { stdout } = toldRun(false)
    const printed = JSON.parse(stdout) as unknown
    expect(printed).toEqual(report)
    expect(reportSchema.strict().safeParse(printed).error).toBeUndefined()
    const valid = new Ajv2020({ strict: true }).compile(reportJsonSchema())
    expect([valid(printed), valid.errors]).toEqual([true, null])
    expect(stdout.endsWith('}\n')).toBe(true)
  })

  it('words go to standard error, without the last ones, which the report has', () => {
    const { stderr } = toldRun(false)
    expect(stderr).toContain('Found Mastodon 4.6.5')
    expect(stderr).toContain('FAULT   Custom domain:')
    expect(stderr).not.toContain('To go on from here')
  })

  it('quiet: only warnings and faults besides', () => {
    const { stdout, stderr } = toldRun(true)
    expect(JSON.parse(stdout)).toEqual(report)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^warning: /),
      expect.stringMatching(/^FAULT {3}Custom domain/),
      expect.stringMatching(/^FAULT {3}Env file/),
    ])
  })
})
