import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { isRequired } from '../requirement.ts'

const folder = import.meta.dirname

/** Nothing of this shell: what the scripts get of the storage comes from the env file alone. */
const environment = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  LANG: 'C.UTF-8',
  BUNDLE_GEMFILE: `${folder}/Gemfile`,
}

function whatIsMissing(): string | undefined {
  for (const [program, args] of [
    ['ruby', ['--version']],
    ['bundle', ['--version']],
    ['bundle', ['check']],
  ] as const) {
    try {
      execFileSync(program, args, { cwd: folder, env: environment, stdio: 'ignore' })
    } catch {
      const cure = 'cd test/ruby && bundle config set --local path vendor/bundle && bundle install'
      return args[0] === 'check' ? `the gems are missing: ${cure}` : `${program} is missing`
    }
  }
  return undefined
}

/** Why the Ruby tests can't run; undefined when they can, or when they must not be skipped. */
export const rubyMissing = isRequired('ruby') ? undefined : whatIsMissing()

/** Runs a script of this folder and gives the JSON that it printed, whatever its exit code. */
export async function runRuby(script: string, args: readonly string[]): Promise<unknown> {
  const command = [`${folder}/${script}`, ...args]
  const result = await promisify(execFile)('ruby', command, {
    env: environment,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: { stdout?: string; stderr?: string }) => error)
  const lines = (result.stdout ?? '').trim().split('\n')
  try {
    return JSON.parse(lines.at(-1) ?? '')
  } catch {
    throw new Error(
      `${script} printed no JSON: ${`${result.stdout}${result.stderr}`.slice(0, 1000)}`,
    )
  }
}

/** Runs a script of this folder with these variables and this to read; gives what it printed. */
export function askRuby(
  script: string,
  { variables, input }: { variables: Readonly<Record<string, string>>; input: string },
): string {
  const env = { ...environment, ...variables }
  const program = 'ruby'
  return execFileSync(program, [`${folder}/${script}`], { env, input, encoding: 'utf8' })
}
