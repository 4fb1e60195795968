import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rcloneMissing } from '../e2e/migrating-server.ts'
import { tmuxMissing } from '../e2e/terminal.ts'
import { screensOf } from './story.ts'

const missing = rcloneMissing ?? tmuxMissing
/** `npm run golden`: the files are written anew. */
const isRenewed = process.env.MASTODON_R2_GOLDEN === 'renew'

/** Those that are run, and the widths whose screens have the same words. */
const runs: [columns: number, same: number[]][] = isRenewed
  ? [100, 80, 60, 40].map((columns) => [columns, [columns]])
  : [
      [100, [100, 80, 60]],
      [40, [40]],
    ]

describe.skipIf(missing)(`every screen in a terminal ${missing ?? ''}`, () => {
  test.concurrent.for(runs)('%i columns wide', { timeout: 300_000 }, async (run, { expect }) => {
    const [columns, same] = run
    for (const [name, screen] of await screensOf(columns)) {
      if (isRenewed) write(columns, name, screen)
      expect.soft(badLines(screen, columns), name).toEqual([])
      for (const other of same) {
        const kept = readFileSync(fileOf(other, name), 'utf8')
        expect.soft(steady(screen), fileOf(other, name)).toEqual(steady(kept))
      }
    }
  })
})

const kept = readdirSync(import.meta.dirname).filter((name) => /^\d+$/.test(name))
test.each(kept)('as they are kept, %s columns wide, they fit', (columns) => {
  for (const name of readdirSync(join(import.meta.dirname, columns))) {
    const text = readFileSync(join(import.meta.dirname, columns, name), 'utf8')
    expect.soft(badLines(text, Number(columns)), name).toEqual([])
  }
})

function fileOf(columns: number, name: string): string {
  return join(import.meta.dirname, String(columns), `${name}.txt`)
}

function write(columns: number, name: string, screen: string): void {
  const file = fileOf(columns, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, screen)
}

/**
 * The words in no order, without numbers: what goes on side by side ends in any order, a chart is as
 * wide as there is room, a long temporary folder moves a full stop to the next line, and a slow
 * machine makes check wonder, and a count or a measurement end early.
 */
function steady(screen: string): string[] {
  return screen
    .replaceAll(/[\s│]+/g, ' ')
    .replaceAll(/ \.(?= )/g, '.')
    .replaceAll(/(?<=└)─+|[█-▏]+/g, '')
    .replaceAll(/[▲•] storage: Test upload: .*?that is slow( Why: .*?restart Mastodon\.)?/g, '')
    .replace('All works; 1 warning.', 'All well.')
    .replace(/\((a request takes [\d,]+ ms from here, the line is )?assumed\)/, '(assumed)')
    .replace(/(?<=this server \()more than /, '')
    .replaceAll(/[\d.,:]*\d\b( ?(bytes?|[KMG]B|ms|s|min|warnings?)\b)?/g, 'N')
    .split(/[ /\\]+/)
    .filter(Boolean)
    .sort()
}

/** What a person copies is never broken: lines to type, addresses, paths. */
const WHOLE = /npx mastodon-r2|^Usage: |https?:\/\/|\/home\/mastodon\/live|\/tmp\/mastodon-r2-|\/(original|small)\/|^[│ ] +(sudo |systemctl |[+-] |\S+=)|▪/

/** Lines that do not fit, and those that lost the bar at the left of a screen. */
function badLines(screen: string, columns: number): string[] {
  const lines = screen.split('\n')
  const wide = lines.filter((line) => line.length > columns && !WHOLE.test(line))
  const end = lines.findIndex((line) => line.startsWith('└') || line === '')
  const hung = screen.startsWith('┌') ? lines.slice(1, end) : []
  return [...wide, ...hung.filter((line) => !/^([│◇●▲■└┌]|https:|▪)/.test(line))]
}
