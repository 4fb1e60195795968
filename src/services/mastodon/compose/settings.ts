import type { EffectiveSetting } from '../port.ts'
import { rawLines, readEnvLines } from './env-lines.ts'
import type { LookUp, Refuse } from './interpolate.ts'
import type { ComposeProject } from './project.ts'
import type { ComposeService } from './service.ts'

interface Handing {
  /** Later ones win. */
  readonly files: readonly { readonly path: string; readonly text: string; readonly raw: boolean }[]
  readonly environment: ReadonlyMap<string, string | undefined>
  readonly composeFile: string
  /** The project's variables: the shell's, then those of `.env`. */
  readonly lookUp: LookUp
  readonly refuse: Refuse
  /** See `serviceSettings`. */
  readonly filesFirst?: boolean | undefined
}

type Settings = Map<string, EffectiveSetting>

/** What compose hands to a container: its env files, a later one winning, then `environment:`. */
export function containerSettings({ files, environment, ...by }: Handing): Settings {
  const settings: Settings = new Map()
  const above: LookUp = (name) => settings.get(name)?.value
  const known: LookUp = by.filesFirst
    ? (name) => above(name) ?? by.lookUp(name)
    : (name) => by.lookUp(name) ?? environment.get(name) ?? above(name)
  for (const { path, text, raw } of files) {
    const refuse = (why: string) => by.refuse(`${path}: ${why}`)
    const values = raw ? rawLines(text) : readEnvLines(text, known, refuse)
    for (const [key, value] of values) settings.set(key, { value, from: path })
  }
  for (const [key, value] of environment) {
    if (value === undefined) settings.delete(key)
    else settings.set(key, { value, from: by.composeFile })
  }
  return settings
}

interface ServiceSettings {
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  /** Why compose would refuse the env files. */
  readonly refused: readonly string[]
}

/**
 * The settings of one service of a project. A `${NAME}` in an env file is looked up in the files
 * before it and in the project's variables; which of the two comes first has changed (compose 2.26:
 * the files; 2.40: the variables), so `filesFirst` says it.
 */
export async function serviceSettings(
  { file, lookUp }: Pick<ComposeProject, 'file' | 'lookUp'>,
  { name, envFiles, environment }: Pick<ComposeService, 'name' | 'envFiles' | 'environment'>,
  read: (path: string) => Promise<string | undefined>,
  { filesFirst }: { readonly filesFirst?: boolean } = {},
): Promise<ServiceSettings> {
  const refused: string[] = []
  const refuse = (why: string) => void refused.push(why)
  const texts = await Promise.all(envFiles.map(({ path }) => read(path)))
  const files = envFiles.flatMap(({ path, raw, required }, index) => {
    const text = texts[index]
    if (text !== undefined) return [{ path, text, raw }]
    if (required) refuse(`services.${name}.env_file: ${path} is not there, or can't be read`)
    return []
  })
  const handing = { files, environment, composeFile: file, lookUp, refuse, filesFirst }
  return { settings: containerSettings(handing), refused }
}
