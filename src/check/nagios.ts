import { Writable } from 'node:stream'
import type { Host } from '../host.ts'
import type { Report } from '../plan/report.ts'
import { hasSwitch } from '../settings/argv.ts'
import { variableOf } from '../settings/setting.ts'
import { checkFlags } from './settings.ts'

/** Exit codes of a plugin (Monitoring Plugins Development Guidelines, "Plugin Return Codes"). */
const STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const
const UNKNOWN = 3
/** A plugin says one line, whatever there is. */
const OTHER_VOICES = [checkFlags.json, checkFlags.quiet, checkFlags.verbose, checkFlags.timings]
/** Characters of the words; old servers cut a line at 1024. */
const MOST = 400

/** Whether the run is to answer as a plugin, told before its settings are read. */
export function isPlugin({ environment }: Pick<Host, 'environment'>, argv: readonly string[]) {
  const { flag } = checkFlags.format
  const at = argv.indexOf(flag)
  if (at >= 0) return argv[at + 1] === 'nagios'
  const inline = argv.find((word) => word.startsWith(`${flag}=`))
  return (inline?.slice(flag.length + 1) ?? environment[variableOf(checkFlags.format)]) === 'nagios'
}

/**
 * One line with performance data on standard output, from the JSON report of `run`; and the exit
 * code of a plugin, whatever happens.
 */
export async function asPlugin(
  host: Host,
  argv: readonly string[],
  run: (host: Host, argv: readonly string[]) => Promise<number>,
): Promise<number> {
  const end = (state: number, words: string, data = '') => {
    host.stdout.write(`MASTODON-R2 ${STATES[state]} - ${plain(words)}${data}\n`)
    return state
  }
  const other = OTHER_VOICES.find((setting) => hasSwitch(host, argv, setting))
  if (other !== undefined) {
    return end(
      UNKNOWN,
      `--format nagios and ${other.flag} can't both be meant. Leave one of them out.`,
    )
  }
  if (hasSwitch(host, argv, checkFlags.fix)) {
    return end(
      UNKNOWN,
      '--format nagios only looks, and --fix changes things. Leave one of them out.',
    )
  }
  const began = Date.now()
  const [stdout, silent] = [new Kept(), new Kept()]
  const streams = { stdout, stderr: silent } as unknown as Pick<Host, 'stdout' | 'stderr'>
  try {
    await run({ ...host, hasPerson: false, ...streams }, [...argv, '--json'])
    const report = JSON.parse(stdout.text) as Report
    const { problem } = report
    if (problem) return end(UNKNOWN, `${problem.what} ${problem.next}`)
    const data = ` | ${performance(report, (Date.now() - began) / 1000)}`
    return end(stateOf(report), wordsOf(report), data)
  } catch (error) {
    const { tame } = await import('../ui/tamed.ts')
    host.stderr.write(`${tame(String(error instanceof Error ? error.stack : error))}\n`)
    return end(UNKNOWN, 'This is a bug in mastodon-r2, not your mistake; please report it.')
  }
}

class Kept extends Writable {
  text = ''

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

type Severity = Report['checks'][number]['severity']

function having({ checks }: Report, severity: Severity): Report['checks'] {
  return checks.filter((check) => check.severity === severity)
}

function stateOf(report: Report): number {
  if (having(report, 'fault').length > 0) return 2
  return having(report, 'warning').length > 0 ? 1 : 0
}

function wordsOf(report: Report): string {
  const bad = [...having(report, 'fault'), ...having(report, 'warning')]
  const count = (severity: Severity) => {
    const { length } = having(report, severity)
    return length === 0 ? [] : [`${length} ${severity}${length === 1 ? '' : 's'}`]
  }
  if (bad.length === 0) return 'all well'
  const counted = [...count('fault'), ...count('warning')].join(', ')
  return `${counted}: ${bad.map(({ title, saw }) => `${title}: ${saw}`).join('; ')}`
}

/** `'label'=value[unit];[warn];[crit]`: more than none is bad. */
function performance(report: Report, seconds: number): string {
  const count = (severity: Severity) => having(report, severity).length
  return [
    `faults=${count('fault')};;0`,
    `warnings=${count('warning')};0`,
    `notes=${count('note')}`,
    `ok=${count('ok')}`,
    `time=${seconds.toFixed(3)}s`,
  ].join(' ')
}

/** One line; what is behind a bar would be taken for performance data. */
function plain(words: string): string {
  const line = words
    .replaceAll('|', '/')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  return line.length > MOST ? `${line.slice(0, MOST - 3)}...` : line
}
