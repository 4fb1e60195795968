// The figures that the project promises, measured: `npm run bench`, or `npm run bench init line` for some.
// Exit code 1 when one is missed. MASTODON_R2_BENCH_BASE: the cli.js of an older build to measure beside.
import { compareFigures } from './compare.mjs'
import { copyFigures } from './copy.mjs'
import { deltaFigures } from './delta.mjs'
import { firstQuestionFigures } from './first-question.mjs'
import { initFigures } from './init.mjs'
import { largeFigures } from './large.mjs'
import { limitFigures } from './limit.mjs'
import { lineFigures } from './line.mjs'
import { packageFigures } from './package.mjs'
import { sandboxFigures } from './sandbox-line.mjs'
import { startFigures } from './start.mjs'
import { surveyMemoryFigures } from './survey-memory.mjs'
import { walkFigures } from './walk.mjs'

let missed = 0
const measures = [
  packageFigures,
  startFigures,
  firstQuestionFigures,
  initFigures,
  walkFigures,
  surveyMemoryFigures,
  compareFigures,
  copyFigures,
  sandboxFigures,
  lineFigures,
  limitFigures,
  largeFigures,
  deltaFigures,
]
const wanted = process.argv.slice(2).map((name) => `${name}Figures`)
const chosen = measures.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
for (const measure of chosen) {
  for (const { name, value, limit, unit, detail } of await measure()) {
    const ok = value <= limit
    if (!ok) missed += 1
    const shown = `${round(value)} of at most ${round(limit)} ${unit}`.trimEnd()
    const ratio = limit === 0 ? '' : `, ${Math.round((100 * value) / limit)} %`
    console.log(
      `${ok ? 'ok    ' : 'MISSED'}  ${name}: ${shown}${ratio}${detail ? ` (${detail})` : ''}`,
    )
  }
}
console.log(missed === 0 ? 'All figures are kept.' : `${missed} missed.`)
process.exitCode = missed === 0 ? 0 : 1

function round(value) {
  return String(Math.round(value * 100) / 100)
}
