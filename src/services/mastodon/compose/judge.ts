import type { Command } from '../../process/port.ts'
import { type Dict, isDict } from './merge.ts'
import type { ComposeProject } from './project.ts'
import { type ComposeService, serviceOf } from './service.ts'

/** Runs a program that only looks; its failure is a result or a thrown Problem. */
export type Ask = (
  command: Command,
  cwd: string | undefined,
) => Promise<{
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr?: string
}>

/** `docker compose <args>` with the variables that its files ask for. */
export function composeCommand(
  args: readonly string[],
  { composeNames = [] }: { readonly composeNames?: readonly string[] | undefined } = {},
): Command {
  return { program: 'docker', args: ['compose', ...args], env: {}, inherits: composeNames }
}

/** What compose itself says: the services as they would be started, or why there are none. */
export type Judgement =
  | { readonly is: 'read'; readonly services: readonly ComposeService[] }
  | { readonly is: 'refused'; readonly reason: string }

/** As a plugin of docker, or by itself; a `*` takes in the services that are seldom started. */
const PROGRAMS = [['docker', 'compose'], ['docker-compose']] as const
const CONFIG = ['config', '--format', 'json']

/**
 * Asks docker compose what it makes of the project in a folder; undefined where it is not installed.
 * Needs no daemon. Its `environment` holds what the env files say, too.
 */
export async function askCompose(
  dir: string,
  { shell }: Pick<ComposeProject, 'shell'>,
  ask: Ask,
): Promise<Judgement | undefined> {
  for (const [program, ...plugin] of PROGRAMS) {
    const answer = await ask({ program, args: [...plugin, 'version'], env: {} }, dir).catch(
      () => undefined,
    )
    // Version 1 knows no JSON.
    if (answer?.exitCode !== 0 || !/\bv?[2-9]\.\d/.test(answer.stdout)) continue
    const config = (...before: string[]) => {
      const args = [...plugin, ...before, ...CONFIG]
      return ask({ program, args, env: {}, inherits: shell }, dir)
    }
    const all = await config('--profile', '*')
    const { exitCode, stdout, stderr = '' } = all.exitCode === 0 ? all : await config()
    if (exitCode !== 0) return { is: 'refused', reason: reasonOf(stderr) }
    return { is: 'read', services: servicesOf(stdout) }
  }
  return undefined
}

function servicesOf(stdout: string): ComposeService[] {
  const model: unknown = JSON.parse(stdout)
  const services = isDict(model) && isDict(model.services) ? model.services : {}
  return Object.entries(services).map(([name, service]) =>
    serviceOf(name, undollared(service) as Dict),
  )
}

/** Compose writes each `$` twice, so that its output can be read again. */
function undollared(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', '$')
  if (Array.isArray(value)) return value.map(undollared)
  if (!isDict(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, undollared(one)]))
}

/** The last line tells; what it quotes of an env file may be a password, and is left out. */
function reasonOf(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/level=(warning|info)/.test(line))
  const [last = 'it does not say why'] = lines.slice(-1)
  return last
    .replace(/( in variable name| unterminated quoted value| near)\b.*$/s, '$1 …')
    .replace(/[A-Za-z0-9+=_-]{32,}/g, '••••')
    .slice(0, 300)
}
