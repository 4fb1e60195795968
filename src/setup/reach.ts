import { relative } from 'node:path'
import { Problem } from '../core/problem.ts'
import { shellWord } from '../core/shell-word.ts'
import { asRoot, prose, type Text } from '../core/to-type.ts'
import type { EnvWriter } from '../plan/step.ts'
import type { EnvFileOnDisk, Installation, ServiceReading } from '../services/mastodon/port.ts'
import { neverStarts } from './env-encoding.ts'

/** What one of Mastodon's services does not get of what it needs. */
export interface Lack {
  readonly service: ServiceReading
  /** Settings that it is not given at all. */
  readonly missing: readonly string[]
  /** Settings that it gets with another value, and from where. */
  readonly other: readonly { readonly name: string; readonly from: string }[]
  /** Settings that only others are given, and where; no line of the env file is among them. */
  readonly alone?: readonly { readonly name: string; readonly from: string }[]
}

/** Services whose settings are not these. */
export function lacks(
  { services = [] }: Pick<Installation, 'services'>,
  wanted: ReadonlyMap<string, string>,
): Lack[] {
  return services.flatMap((service) => {
    const names = [...wanted.keys()]
    // An empty setting and none are the same but for S3_PERMISSION, which has to be there.
    const missing = names.filter((name) => !service.settings.has(name))
    const other = names.flatMap((name) => {
      const now = service.settings.get(name)
      return now !== undefined && now.value !== wanted.get(name) ? [{ name, from: now.from }] : []
    })
    return missing.length + other.length > 0 ? [{ service, missing, other }] : []
  })
}

type File = Pick<EnvFileOnDisk, 'path' | 'realPath'>

/** What happens to a service with these faults, and what to do about it: two sentences and more. */
export function howToReach(
  installation: Pick<Installation, 'kind' | 'composeFile' | 'compose' | 'dir'>,
  file: File,
  found: readonly Lack[],
): { readonly what: string; readonly why: string; readonly next: Text } {
  return installation.kind === 'docker'
    ? inCompose(installation, file, found)
    : inUnits(file, found)
}

function inCompose(
  { composeFile = '', compose, dir = '' }: Pick<Installation, 'composeFile' | 'compose' | 'dir'>,
  file: File,
  found: readonly Lack[],
) {
  const names = found.map(({ service }) => service.name)
  const variables = compose?.variableFiles ?? []
  // A variable file hands on nothing by itself.
  const isGiven = ({ envFiles }: ServiceReading) =>
    !variables.includes(file.path) &&
    (envFiles.includes(file.path) || envFiles.includes(file.realPath))
  const ungiven = found.filter(({ service, missing }) => missing.length > 0 && !isGiven(service))
  const lines = ungiven.map(({ service }) => {
    const path = relative(dir, file.path)
    const place = path.startsWith('..') ? file.path : path
    return service.envFiles.some((one) => !variables.includes(one))
      ? `  below "env_file:" of ${service.name}:\n    - ${place}`
      : `  below "${service.name}:"\n    env_file: ${place}`
  })
  const overruling = found.flatMap(({ service, other }) =>
    other.length === 0
      ? []
      : [
          `  of ${service.name}: ${other.map(({ name }) => name).join(', ')} in ${[...new Set(other.map(({ from }) => from))].join(', ')}`,
        ],
  )
  const alone = aloneLines(found)
  const missing = [
    ...new Set(
      found.flatMap((one) => [...one.missing, ...(one.alone ?? []).map(({ name }) => name)]),
    ),
  ]
  const other = [...new Set(found.flatMap((one) => one.other.map(({ name }) => name)))]
  const told = [
    missing.length > 0
      ? `${composeFile} does not hand ${missing.join(', ')} on to ${names.join(', ')}`
      : '',
    other.length > 0
      ? `${missing.length > 0 ? 'and it gives' : `${composeFile} gives ${names.join(', ')}`} another ${other.join(', ')}`
      : '',
  ].filter((part) => part !== '')
  return {
    what: `${told.join(', ')}.`,
    why: `A container knows only what env_file and environment give it, so it would go on without what ${found.some(({ alone = [] }) => alone.length > 0) ? 'others are given' : `stands in ${file.path}`}.`,
    next: [
      ...(lines.length > 0 ? [`Add to ${composeFile}:\n${lines.join('\n')}`] : []),
      ...(overruling.length > 0
        ? [`Remove the lines that win over ${file.path}:\n${overruling.join('\n')}`]
        : []),
      ...(alone.length > 0
        ? [`Give these to all of Mastodon, or to none:\n${alone.join('\n')}`]
        : []),
    ].join('\n'),
  }
}

function aloneLines(found: readonly Lack[]): string[] {
  return found.flatMap(({ service, alone = [] }) =>
    alone.map(
      ({ name, from }) => `  ${name}, which stands in ${from}, is not given to ${service.name}`,
    ),
  )
}

function inUnits(file: File, found: readonly Lack[]) {
  const lines = found.flatMap(({ service, missing, other, alone = [] }) => {
    if (missing.length + other.length === 0) return aloneLines([{ service, missing, other, alone }])
    const places = [...new Set(other.map(({ from }) => from))].join(', ')
    return other.length > 0
      ? `  ${service.name}: remove ${other.map(({ name }) => name).join(', ')} from ${places}`
      : `  ${service.name}: give it ${missing.join(', ')}, such as with EnvironmentFile=${file.path}`
  })
  const names = found.map(({ service }) => service.name).join(', ')
  const settings = [
    ...new Set(
      found.flatMap(({ missing, other, alone = [] }) => [
        ...missing,
        ...[...other, ...alone].map(({ name }) => name),
      ]),
    ),
  ]
  return {
    what: `${names} would run without this ${settings.join(', ')}.`,
    why: `What systemd gives a unit wins over ${file.path}, so that part of Mastodon would use another storage than the rest.`,
    next: prose`Put that right (${asRoot('systemctl edit --full')} with the unit's name, then ${asRoot('systemctl daemon-reload')}):\n${lines.join('\n')}`,
  }
}

/**
 * Problem where not all of Mastodon would use the settings: `env-file-not-read`,
 * `env-file-not-utf8`, `compose-refuses` (exit 2). `after` is Mastodon as it would be read with the file as it will be; `instead` stands at
 * the end.
 */
export function unreached(
  now: Installation,
  after: Installation,
  file: File,
  wanted: ReadonlyMap<string, string>,
  instead = '',
): Problem | undefined {
  const refused = after.compose?.refused ?? []
  // What compose refuses now may be the very file that is going to be written.
  const stays = refused.length > 0 ? refused : refusedForAnother(now, file)
  if (stays[0] !== undefined) return composeRefuses(now, stays[0])
  const dead = neverStarts(after)
  if (dead) return dead
  const found = lacks(after, wanted)
  if (found.length === 0) return undefined
  const { what, why, next } = howToReach(after, file, found)
  const again = prose`${next}\nThen run this again.${instead}`
  return new Problem({ code: 'env-file-not-read', what, why, next: again, exit: 2 })
}

/**
 * The same of a change that is planned: Mastodon is looked for anew with this text in its env file.
 * Undefined, too, where nothing tells what its services read.
 */
export async function unreachedBy(
  installation: Installation,
  envWriter: Pick<EnvWriter, 'preview'>,
  { file, text }: { readonly file: EnvFileOnDisk; readonly text: string },
  wanted: ReadonlyMap<string, string>,
  instead = '',
): Promise<Problem | undefined> {
  const { services = [], kind } = installation
  if (services.length === 0) return kind === 'systemd' ? neverStarts(installation) : undefined
  const after = await envWriter.preview(file, text)
  // A rehearsal writes a scratch copy, and nobody is told to have that read.
  const isKnown = [after.envFile, ...after.envFiles].some(({ path }) => path === file.path)
  return unreached(installation, after, isKnown ? file : after.envFile, wanted, instead)
}

function refusedForAnother({ compose }: Installation, { path, realPath }: File): string[] {
  return (compose?.refused ?? []).filter(
    (reason) => !reason.includes(path) && !reason.includes(realPath),
  )
}

function composeRefuses({ composeFile, dir = '.' }: Installation, reason: string): Problem {
  return new Problem({
    code: 'compose-refuses',
    what: `Docker Compose refuses ${composeFile}: ${reason.replace(/\.?$/, '.')}`,
    why: 'Until that is mended no container can be made anew, so Mastodon could not take new settings.',
    next: `This shows whether it is mended: cd ${shellWord(dir)} && docker compose config --quiet\nThen run this again.`,
    exit: 2,
  })
}
