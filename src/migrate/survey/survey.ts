import type { MediaSurvey } from '../../plan/report-schema.ts'
import { noted } from '../../services/checkpoint/noted.ts'
import { slurperAdvice } from '../slurper/advice.ts'
import type { PrepareStage } from '../stage-steps.ts'
import { surveyLines } from './lines.ts'
import { surveyMedia } from './migrate-survey.ts'

/** Looks at everything and changes nothing; what would be copied is noted for later runs. */
export const surveyStage: PrepareStage = async (run, { migration, old }) => {
  let survey: MediaSurvey | undefined
  const step = surveyMedia(migration, {
    surveyed: (found) => {
      survey = found
      run.surveys.last = found
    },
  })
  const slurper = () => {
    if (!old || !survey) return []
    const { bytes } = survey.copied
    const { advice, why } = slurperAdvice({ source: old.slurper, bytes, bytesPerSecond: undefined })
    const how = advice === 'impossible' ? '' : ' Choose it with --engine super-slurper.'
    return [{ title: `Super Slurper is ${advice} here`, lines: [`${why}${how}`] }]
  }
  return {
    steps: [step],
    found: () => {
      if (survey === undefined) return { report: {}, tables: [] }
      const lines = surveyLines(survey, migration.width)
      return { report: { survey }, tables: [{ title: 'What is there', lines }, ...slurper()] }
    },
    async done() {
      if (survey === undefined) return
      const { at, copied } = survey
      await noted(migration.checkpoint, { surveyed: { at, ...copied } })
    },
  }
}
