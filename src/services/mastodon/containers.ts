import { realpath } from 'node:fs/promises'
import type { Command } from '../process/port.ts'
import { type Ask, composeCommand } from './compose/judge.ts'
import type { Installation, RunningProcess } from './port.ts'

/** Nothing of the environment is asked for: the keys stand in it. */
const FORMAT =
  '{"name":{{json .Name}},"created":{{json .Created}},"command":{{json .Config.Cmd}},"labels":{{json .Config.Labels}}}'

type Project = Pick<Installation, 'dir' | 'services' | 'composeNames'>

/**
 * Mastodon's containers of the compose project in `dir`; those of a project of the same name in
 * another folder are not. A container keeps the environment that it
 * was created with, so its creation counts, not its start. Undefined when Docker does not answer.
 */
export async function runningContainers(
  project: Project,
  ask: Ask,
): Promise<RunningProcess[] | undefined> {
  const { dir, composeNames } = project
  try {
    const ids = await lines(ask, composeCommand(['ps', '--quiet'], { composeNames }), dir)
    if (ids === undefined) return undefined
    if (ids.length === 0) return []
    const args = ['inspect', '--type=container', '--format', FORMAT, ...ids]
    const texts = await lines(ask, { program: 'docker', args, env: {} }, dir)
    const home = dir === undefined ? undefined : await realpath(dir).catch(() => dir)
    const found: (RunningProcess | undefined)[] = []
    for (const text of texts ?? []) found.push(await described(JSON.parse(text), project, home))
    return texts && found.filter((one) => one !== undefined)
  } catch {
    return undefined
  }
}

async function lines(ask: Ask, command: Command, dir: string | undefined) {
  const { exitCode, stdout } = await ask(command, dir)
  if (exitCode !== 0) return undefined
  return stdout.split('\n').filter((line) => line.trim() !== '')
}

interface Inspected {
  readonly name: string
  readonly created: string
  readonly command: readonly string[] | null
  readonly labels: Readonly<Record<string, string>> | null
}

async function described(
  { name, created, command, labels }: Inspected,
  { services = [] }: Project,
  home: string | undefined,
): Promise<RunningProcess | undefined> {
  const place = labels?.['com.docker.compose.project.working_dir']
  if (place !== undefined && home !== undefined) {
    if ((await realpath(place).catch(() => place)) !== home) return undefined
  }
  const service = labels?.['com.docker.compose.service'] ?? ''
  const known = services.find((one) => one.name === service)?.role
  const role = known ?? roleOf(`${(command ?? []).join(' ')}`) ?? roleOf(service)
  if (role === undefined) return undefined
  return { role, name: `container ${name.replace(/^\//, '')}`, startedAt: new Date(created) }
}

function roleOf(words: string): RunningProcess['role'] | undefined {
  if (/sidekiq/.test(words)) return 'sidekiq'
  if (/streaming/.test(words)) return 'streaming'
  return /puma|rails s|\bweb\b/.test(words) ? 'web' : undefined
}
