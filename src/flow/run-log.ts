import { resolve } from 'node:path'
import { type LogFile, namedLog, newLog } from '../core/log-file.ts'
import { codeOf, diskTrouble, Problem } from '../core/problem.ts'
import { withoutSecrets } from '../core/secret.ts'
import { stateHome } from '../core/state-home.ts'
import type { Host } from '../host.ts'
import { contradiction, isFlag } from '../settings/no-effect.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Record } from '../ui/recorded.ts'

/** Lines kept of what came before the first change; the last ones count. */
const BEFORE = 2_000

/** Runs that change nothing here, and why one of them with --log-file is refused. */
const LOOKING = {
  dryRun: 'a dry run changes nothing, and what changes nothing leaves no log',
  print: 'a run that prints the keys writes nothing on this machine',
  sandbox: 'what a rehearsal writes is gone when it ends',
} as const

/**
 * What a run told, in a file of its own from the first change on, with all that came before it; where
 * `--log-file` names one, from the beginning. A run that only looks leaves none.
 */
export interface RunLog extends Record {
  /** `shown`: the settings without secrets. Problems: `settings-contradict`, `log-not-writable`. */
  know(settings: Settings<Catalog>, shown: string): Promise<void>
  /** Something is about to change. That there can be no log is told, and nothing else. */
  begin(): Promise<void>
  /** What was thrown and is no Problem; the file is named. */
  bug(error: unknown): void
  close(): Promise<void>
}

/** `tell`: says a line on the screen. */
export function runLog(
  host: Pick<Host, 'environment' | 'cwd' | 'pid' | 'userId' | 'version' | 'nodeVersion'>,
  command: string,
  tell: (line: string) => void,
): RunLog {
  const { environment, cwd, pid } = host
  let heading = `mastodon-r2 ${host.version} ${command}, Node ${host.nodeVersion}, user ${host.userId}`
  let early: string[] = []
  let file: LogFile | undefined
  let isWanted = true

  const giveUp = (why: string) => {
    file = undefined
    isWanted = false
    early = []
    tell(`There is no log of this run from here on: ${why}`)
  }
  const write = (lines: readonly string[]) => {
    try {
      file?.write(lines.map((line) => `${line}\n`).join(''))
    } catch (error) {
      giveUp(diskTrouble(codeOf(error)))
    }
  }
  const hold = (opened: LogFile) => {
    file = opened
    write([`${stamp()} ${heading}`, ...early])
    early = []
  }
  return {
    get path() {
      return file?.path
    },
    note(text) {
      if (!isWanted) return
      const at = stamp()
      const lines = withoutSecrets(text.trimEnd())
        .split('\n')
        .map((line) => `${at} ${line}`.trimEnd())
      if (file) return write(lines)
      early.push(...lines)
      if (early.length > BEFORE) early = early.slice(-BEFORE)
    },
    async know(settings, shown) {
      heading += `, settings ${withoutSecrets(shown)}`
      const looking = (['dryRun', 'print', 'sandbox'] as const).find((name) => settings.on(name))
      if (looking !== undefined && isFlag(settings, 'logFile')) {
        throw contradiction('--log-file', settings.flag(looking), LOOKING[looking])
      }
      isWanted = looking === undefined
      const given = isWanted ? settings.get('logFile') : undefined
      if (typeof given === 'string') hold(await named(resolve(cwd, given)))
    },
    async begin() {
      if (file || !isWanted) return
      try {
        hold(await newLog(stateHome(environment), { command, pid, now: new Date() }))
      } catch (error) {
        giveUp(error instanceof Problem ? String(error.why) : diskTrouble(codeOf(error)))
      }
    },
    bug(error) {
      this.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
      if (file) tell(`The log of this run: ${file.path}`)
    },
    close: async () => file?.close(),
  }
}

const stamp = () => new Date().toISOString()

async function named(path: string): Promise<LogFile> {
  try {
    return await namedLog(path)
  } catch (error) {
    throw notWritable(path, codeOf(error))
  }
}

const REASONS: Readonly<{ [code: string]: string }> = {
  ENOENT: 'Its folder does not exist.',
}

function notWritable(path: string, code: string): Problem {
  return new Problem({
    code: 'log-not-writable',
    what: `The log can't be written to ${path}.`,
    why: REASONS[code] ?? diskTrouble(code),
    next: 'Name another file with --log-file, or leave it out: the log then lies in a folder of its own.',
    exit: 2,
  })
}
