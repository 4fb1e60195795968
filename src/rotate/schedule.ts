import { resolve } from 'node:path'
import { Problem } from '../core/problem.ts'
import { shellLine, shellWord } from '../core/shell-word.ts'
import { findMastodonFiles } from '../flow/mastodon-here.ts'
import type { Host } from '../host.ts'
import { parseArgv, type RawValue } from '../settings/argv.ts'
import { noEffect } from '../settings/no-effect.ts'
import { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import { readTemplate, render } from '../template.ts'
import { bareProblem } from '../ui/words.ts'
import { rotateFlags } from './settings.ts'

const TOKEN_FILE = '/etc/mastodon-r2/cloudflare-token'

/** What is said apart, or would be wrong the second time. */
const OWN = new Set(['apiToken', 'restart', 'answers', 'expires'])
const NO_COUNT = { files: 0, ms: 0 }
const PATHS = new Set(['mastodonEnv', 'mastodonDir', 'logFile'])

/** Prints a systemd service with its timer, and a line for cron. Writes nothing, asks nobody. */
export async function printSchedule(host: Host, argv: readonly string[]): Promise<number> {
  try {
    const given = await parseArgv('rotate', argv, rotateFlags)
    refuseNotRepeated(given)
    const settings = await resolved(host, given)
    host.stdout.write(await schedule(host, given, settings))
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    host.stderr.write(bareProblem(error, host))
    return error.exit
  }
}

/** What a rotation on a timer can't take, and why. */
const NOT_REPEATED: Readonly<Record<string, string>> = {
  answers: 'A timer has no place for a file of answers: give its settings as flags.',
  expires: 'The day would have passed the second time. A new key gets the life of the old one.',
  assumeRestarted: 'Nobody is there to vouch for a restart.',
  roll: 'A key is never rolled.',
  dryRun: 'A timer that only shows what it would do would change nothing.',
  sandbox: 'A timer that only rehearses would change nothing.',
  json: 'What is printed is a service, a timer and a line for cron.',
  quiet: 'What is printed is all there is.',
  verbose: 'Nothing is asked of Cloudflare.',
  timings: 'Nothing is asked of Cloudflare.',
}

function refuseNotRepeated(given: ReadonlyMap<string, RawValue>): void {
  const catalog: Catalog = rotateFlags
  for (const [name, why] of Object.entries(NOT_REPEATED)) {
    const flag = catalog[name]?.flag
    if (flag !== undefined && given.has(name)) throw noEffect(`${flag} with --schedule`, why)
  }
  if (given.get('restart') !== 'ask') return
  throw noEffect('--restart ask with --schedule', 'Nobody is there to ask.')
}

const { apiToken: _, ...timed } = rotateFlags

/**
 * What a timer would be refused is refused here; the token's file may come later. A timer does not get
 * the variables of this shell: what they tell becomes flags.
 */
function resolved({ environment }: Host, flags: ReadonlyMap<string, RawValue>) {
  const readFile = () => Promise.reject(new Error('Nothing is read.'))
  return Settings.resolve(timed, { flags, environment, answers: new Map(), readFile })
}

async function schedule(
  host: Host,
  given: ReadonlyMap<string, RawValue>,
  settings: Settings<typeof timed>,
): Promise<string> {
  const file = given.get('apiToken')
  const isFile = typeof file === 'string' && file !== '-'
  const tokenFile = shellWord(isFile ? resolve(host.cwd, file) : TOKEN_FILE)
  const restart = settings.get('restart') === 'print' ? 'print' : 'run'
  const words = [
    ...repeated(host, settings),
    ...(await here(host, settings)),
    ...['--restart', restart, '--yes'],
  ]
  const flags = shellLine(words)
  const own = host.environment.PATH ?? ''
  const path = own === '' || /\p{Cc}/u.test(own) ? '/usr/local/bin:/usr/bin:/bin' : own
  const [first] = host.program
  const program = first === 'npx' ? ['npx', '-y', `mastodon-r2@${host.version}`] : [host.execPath]
  const command = [...program, 'rotate', '--api-token-file']
  // A percent sign ends the command of a crontab.
  const inCron = (text: string) => text.replaceAll('%', '\\%')
  return render(await readTemplate('rotate-schedule.txt'), {
    SUDO: host.userId === 0 ? '' : 'sudo ',
    COMMAND: shellLine(command),
    UNIT_COMMAND: command.map(unitWord).join(' '),
    CRON_COMMAND: inCron(shellLine(command)),
    TOKEN_FILE: tokenFile,
    FLAGS: flags,
    UNIT_PATH: unitAssignment('PATH', path),
    UNIT_TOKEN_FILE: unitWord(isFile ? resolve(host.cwd, file) : TOKEN_FILE),
    UNIT_FLAGS: words.map(unitWord).join(' '),
    CRON_PATH: path,
    CRON_TOKEN_FILE: inCron(tokenFile),
    CRON_FLAGS: inCron(flags),
  })
}

/** A word of ExecStart= (systemd.service(5), "Command lines"): `$` and `%` stand for themselves. */
function unitWord(word: string): string {
  return /^[A-Za-z0-9_./:@+=,-]+$/.test(word) ? word : unitQuoted(word.replaceAll('$', '$$$$'))
}

/** For Environment= (systemd.exec(5)), where a dollar has no meaning. */
function unitAssignment(name: string, value: string): string {
  return unitQuoted(`${name}=${value}`)
}

/** systemd.syntax(7): C escapes within quotes, and specifiers behind a percent sign. */
function unitQuoted(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll(
      /\p{Cc}/gu,
      (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    )
  return `"${escaped}"`
}

/**
 * A timer runs in no folder of ours: a Mastodon that is found because somebody stands in its folder is
 * named, as another one, or none, would be found there.
 */
async function here(host: Host, settings: Settings<typeof timed>): Promise<string[]> {
  const isTold =
    settings.get('mastodonDir') !== undefined || settings.get('mastodonEnv') !== undefined
  if (isTold) return []
  try {
    const { dir } = await findMastodonFiles({ host, settings: { get: () => undefined } }, NO_COUNT)
    return dir === host.cwd ? [timed.mastodonDir.flag, dir] : []
  } catch (error) {
    // Who only prints may be another user than the one of the timer.
    if (error instanceof Problem) return []
    throw error
  }
}

/** The settings that say which server is meant and how; relative paths made absolute. */
function repeated({ cwd }: Host, settings: Settings<typeof timed>): string[] {
  const catalog: Catalog = timed
  return settings.entries().flatMap(([name, { text = [] }]) => {
    const setting = catalog[name]
    if (!setting || setting.value === undefined || OWN.has(name)) return []
    return [text]
      .flat()
      .flatMap((value) => [setting.flag, PATHS.has(name) ? resolve(cwd, value) : value])
  })
}
