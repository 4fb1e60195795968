import type { Ended } from '../flow/flow.ts'
import type { Closing } from '../ui/port.ts'
import type { OldPrefix } from './old-prefix.ts'
import { prefixName } from './old-prefix.ts'

/** What a person has to put into the configuration of a web server. */
export interface ToldBlock {
  readonly title: string
  readonly text: string
}

interface RedirectsEnded extends Ended {
  readonly again: string
  readonly prefixes: readonly OldPrefix[]
  readonly mediaHost: string
  readonly blocks: readonly ToldBlock[]
  readonly remove: boolean
}

type Section = Closing['sections'][number]

/** The last words of `redirects`. */
export function redirectsClosing(ended: RedirectsEnded): Closing {
  const { report, again } = ended
  const blocks = ended.blocks.map(blockSection)
  const skipped = report.steps.filter(({ status }) => status === 'skipped')
  const left: Section = {
    title: 'What is left',
    lines: skipped.map(({ title, note }) => `${title}: ${note}`),
  }
  const sections = [...blocks, ...(skipped.length > 0 ? [left] : [])]
  if (report.problem) {
    const isBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
    const headline = isBegun
      ? 'Not finished. Run it again: it goes on from what it finds.'
      : 'Nothing was changed.'
    return { headline, sections: [...sections, { title: 'Again', lines: [`  ${again}`] }] }
  }
  const isOpen = report.steps.some(({ status }) => status === 'would-change')
  if (report.dryRun && isOpen) {
    const carryOut = { title: 'To carry it out', lines: [`  ${again}`] }
    const headline = 'That is the plan. Nothing was changed.'
    return { headline, sections: [...sections, carryOut] }
  }
  if (ended.remove) return { headline: removed(report.steps), sections }
  if (blocks.length > 0) {
    const prove = { title: 'Then, to see whether it works', lines: [`  ${again}`] }
    const headline = 'The web server has to do it. Nothing was written; this is for you:'
    return { headline, sections: [...sections, prove] }
  }
  const names = ended.prefixes.map((prefix) => `https://${prefixName(prefix)}...`).join(', ')
  return { headline: `${names} leads to https://${ended.mediaHost}/...`, sections }
}

/** Two spaces in front keep a line whole. */
function blockSection({ title, text }: ToldBlock): Section {
  return {
    title,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  }
}

function removed(steps: Ended['report']['steps']): string {
  if (steps.some(({ status }) => status === 'changed')) return 'The redirects are gone.'
  return steps.every(({ status }) => status === 'ready')
    ? 'There was no redirect of this program at Cloudflare.'
    : 'Nothing was removed.'
}
