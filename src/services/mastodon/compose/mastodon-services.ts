import { type ComposeProject, loadProject } from './project.ts'
import type { ComposeService } from './service.ts'

export interface MastodonService extends ComposeService {
  readonly role: 'web' | 'sidekiq'
}

export interface Compose {
  readonly project: ComposeProject
  /** Every service that runs the web part or Sidekiq, in the order of the files; one is the web. */
  readonly services: readonly MastodonService[]
}

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The compose project of a folder when one of its services runs Mastodon, or may do so in what only
 * compose can read (`services` is empty then). Problem: `compose-file-broken` (exit 2).
 */
export async function findCompose(
  dir: string,
  environment: Variables,
  read: (path: string) => Promise<string | undefined>,
): Promise<Compose | undefined> {
  const project = await loadProject(dir, environment, read)
  if (project === undefined) return undefined
  const services = mastodonServices(project.services)
  const isOurs = services.some(({ role }) => role === 'web')
  return isOurs || project.unread.length > 0 ? { project, services } : undefined
}

/** A service that neither serves the web nor works off jobs (such as a migration) has no part. */
export function mastodonServices(services: readonly ComposeService[]): MastodonService[] {
  const own = services.filter(isMastodon)
  const web =
    own.find(({ name }) => name === 'web') ??
    own.find(({ command }) => WEB.test(command)) ??
    own.find((service) => !isSidekiq(service))
  return own.flatMap((service): MastodonService[] => {
    if (isSidekiq(service)) return [{ ...service, role: 'sidekiq' }]
    return service === web ? [{ ...service, role: 'web' }] : []
  })
}

const WEB = /puma|rails s/
const IMAGE = /mastodon|glitch-soc|hometown/i

/** By its image, or by what an image of another name is started with and told. */
function isMastodon({ name, image = '', builds, command, environment }: ComposeService): boolean {
  if (/streaming/.test(image) || name === 'streaming') return false
  if (IMAGE.test(image)) return true
  if (builds && /^(web|sidekiq)$/.test(name)) return true
  const starts = WEB.test(command) || /sidekiq/.test(command)
  return starts && environment.has('LOCAL_DOMAIN')
}

function isSidekiq({ name, command, environment }: ComposeService): boolean {
  // linuxserver's image takes its part from a variable (docs.linuxserver.io/images/docker-mastodon).
  if (/^true$/i.test(environment.get('SIDEKIQ_ONLY') ?? '')) return true
  return /sidekiq/.test(command === '' ? name : command)
}
