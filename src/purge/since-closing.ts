import { bytesOf, count, counted, duration } from '../core/amounts.ts'
import { prose, type Text, type ToType, toType } from '../core/to-type.ts'
import type { Ended } from '../flow/run.ts'
import type { Gone } from '../plan/report-gone.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { connectTootctl, orphansOnDisk } from '../services/mastodon/tootctl.ts'
import type { Closing } from '../ui/port.ts'
import type { Proof } from './purge-cache.ts'

type Section = Closing['sections'][number]

const NAMED = 5

export interface EndedLookback extends Ended {
  readonly again: ToType
  readonly gone: Gone
  readonly proofs: readonly Proof[]
  readonly installation: Installation
  readonly asRoot: boolean
}

/** `2026-11-23 05:17 UTC` */
export function day(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** The last words: what is known and from when, what was purged, and what is left for the person. */
export function closingOf(ended: EndedLookback): Closing {
  const { report, again, gone } = ended
  const known = { title: 'What is known', lines: knowledge(gone) }
  if (report.dryRun && !report.problem) {
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [known, ...left(ended), { title: 'To carry it out', lines: [prose`  ${again}`] }],
    }
  }
  if (report.problem) {
    const isBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
    const headline = isBegun ? 'Not finished. It is safe to run it again.' : 'Nothing was changed.'
    return { headline, sections: [{ title: 'Again', lines: [prose`  ${again}`] }] }
  }
  // Every day by cron, it must not send a mail.
  const isRoutine = !gone.gone && gone.knownFrom !== null
  return { headline: headline(gone), sections: [known, ...left(ended)], isRoutine }
}

function headline({ gone, objects }: Gone): string {
  if (!gone) return `The list is kept: ${counted(objects, 'file')}.`
  if (gone.objects === 0) return 'Nothing to purge, and the list is kept.'
  return `Purged: ${counted(gone.objects, 'file')}, from Cloudflare's cache.`
}

function knowledge({ knownFrom, begins, lists, longestGap, gone, others }: Gone): Text[] {
  if (knownFrom === null) {
    return [
      'This is the first list. From the next one on it is known what went in between.',
      prose`Best every day by cron; docs/purge.md has the line. Then: ${toType('purge', { deletedSince: '7d' })}`,
    ]
  }
  const from = day(new Date(knownFrom))
  const since = begins === 'copy' ? `what migrate had copied until ${from}` : `the list of ${from}`
  const more = lists > 1 ? ` and ${counted(lists - 1, 'list')} after it` : ''
  return [
    `The bucket as it is was compared with ${since}${more}.`,
    `What was stored and deleted again between two of them, ${duration(longestGap)} apart at most, is in none of them, and not known.`,
    ...(gone && others > 0
      ? [
          `Left alone: ${counted(others, 'file')} by names that this Mastodon does not use. Purge them by their addresses.`,
        ]
      : []),
  ]
}

function left({ gone: found, installation, asRoot }: EndedLookback): Section[] {
  if (!found.gone) return []
  return [
    ...disk(found, orphansOnDisk(installation, { asRoot })?.line),
    ...(found.missing.objects > 0 ? [missing(found)] : []),
    {
      title: 'What stays',
      lines: [
        'The bucket may hold files that Mastodon does not know, as where a deletion failed. This names them, and without --dry-run removes them:',
        `  ${connectTootctl(installation, { asRoot }).command(['media', 'remove-orphans', '--dry-run'])?.line ?? 'bin/tootctl media remove-orphans --dry-run'}`,
        'Browsers and other servers keep copies of their own, which nobody can purge from here.',
      ],
    },
  ]
}

function disk({ gone, disk: there }: Gone, line: string | undefined): Section[] {
  if (gone?.objects === 0) return []
  if (!there) {
    return [
      {
        title: 'On the disk',
        lines: ["Mastodon's media folder was not looked at: it is not here, or can't be read."],
      },
    ]
  }
  if (there.objects === 0) {
    return [{ title: 'On the disk', lines: [`None of it is in ${there.folder}.`] }]
  }
  const named = there.examples.slice(0, NAMED)
  const more = there.objects - named.length
  return [
    {
      title: 'Still on the disk',
      lines: [
        `${counted(there.objects, 'file')} (${bytesOf(there.bytes)}) in ${there.folder}; nothing here removes them:`,
        ...named.map(({ key, size }) => `  ${key} (${bytesOf(size)})`),
        ...(more > 0 ? [`  and ${count(more)} more`] : []),
        "Mastodon's own search for what its database does not know tells all of that, on the disk alone, and without --dry-run removes it:",
        `  ${line ?? 'S3_ENABLED=false bin/tootctl media remove-orphans --dry-run'}`,
      ],
    },
  ]
}

function missing({ missing: lost }: Gone): Section {
  return {
    title: 'Missing',
    lines: [
      `${counted(lost.objects, 'file')} that Mastodon's database names ${lost.objects === 1 ? 'is' : 'are'} not in the bucket, and not purged:`,
      ...lost.examples.slice(0, NAMED).map((key) => `  ${key}`),
      prose`Where they were lost, the old disk may have them: ${toType('migrate', { stage: 'compare' })}`,
    ],
  }
}
