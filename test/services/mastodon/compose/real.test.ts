import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { loadProject } from '../../../../src/services/mastodon/compose/project.ts'
import { serviceSettings } from '../../../../src/services/mastodon/compose/settings.ts'
import { whereThere } from '../../../setup/real-reader.ts'
import { scratch, write } from '../scratch.ts'
import { type Project, randomProjects } from './random-projects.ts'
import { askedOf, composeMissing, filesFirst, realCompose } from './real-compose.ts'

const COUNT = 1000
/** Side by side; each asks about its share of the projects, one by one. */
const SHELLS = 2
const read = (path: string) => readFile(path, 'utf8').catch(() => undefined)

type Seen = Record<string, { environment: Record<string, string>; volumes: string[] }> | 'refused'

async function byUs(folder: string): Promise<Seen> {
  const project = await loadProject(folder, { HOME: folder }, read).catch(() => undefined)
  if (project === undefined || project.refused.length > 0) return 'refused'
  const seen: Exclude<Seen, 'refused'> = {}
  for (const service of project.services) {
    const { settings, refused } = await serviceSettings(project, service, read, { filesFirst })
    if (refused.length > 0) return 'refused'
    seen[service.name] = {
      environment: Object.fromEntries([...settings].map(([name, { value }]) => [name, value])),
      volumes: service.volumes.map(({ source, target }) => `${source}:${target}`),
    }
  }
  return seen
}

async function byCompose(folders: readonly string[]): Promise<Seen[]> {
  const models = await askedOf(folders)
  return models.map((model) => (model === undefined ? 'refused' : seenIn(model)))
}

function seenIn({ services }: NonNullable<Awaited<ReturnType<typeof askedOf>>[number]>): Seen {
  return Object.fromEntries(
    Object.entries(services).map(([name, { environment = {}, volumes = [] }]) => [
      name,
      {
        environment: Object.fromEntries(
          Object.entries(environment).flatMap(([key, value]) =>
            value === null ? [] : [[key, value.replaceAll('$$', '$')]],
          ),
        ),
        volumes: volumes.map(({ source, target }) => `${source}:${target}`),
      },
    ]),
  )
}

/** Each is read by us first: what compose says is put into its folder. */
async function compared(projects: readonly Project[]) {
  const folders = projects.map((files) => write(scratch(), files))
  const ours = await Promise.all(folders.map(byUs))
  const theirs = await byCompose(folders)
  return projects.map((files, at) => ({ files, ours: ours[at], theirs: theirs[at] }))
}

test('the same seed gives the same projects, few of them alike', () => {
  const projects = randomProjects(COUNT, 15)
  expect(randomProjects(COUNT, 15)).toEqual(projects)
  expect(new Set(projects.map((one) => JSON.stringify(one))).size).toBeGreaterThan(COUNT * 0.9)
})

whereThere(composeMissing)(
  `a thousand random projects are read as docker-compose ${realCompose?.version} reads them`,
  async () => {
    if (realCompose === undefined) throw new Error('docker-compose is required, and not here.')
    const projects = randomProjects(COUNT, 15)
    const at = Array.from({ length: SHELLS }, (_, nth) => (nth * COUNT) / SHELLS)
    const all = (
      await Promise.all(at.map((from) => compared(projects.slice(from, from + COUNT / SHELLS))))
    ).flat()
    const different = all.filter(
      ({ ours, theirs }) => JSON.stringify(sorted(ours)) !== JSON.stringify(sorted(theirs)),
    )
    const refused = all.filter(({ theirs }) => theirs === 'refused').length
    // A generator that compose mostly refuses would prove nothing.
    expect(refused).toBeLessThan(COUNT / 2)
    expect(different.slice(0, 3)).toEqual([])
  },
  300_000,
)

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  )
}
