import type { Check, Verdict } from '../../plan/verdict.ts'
import type { ComposedService, Installation } from '../../services/mastodon/port.ts'

const STORAGE = /^(S3_|AWS_)|^EXTRA_MEDIA_HOSTS$/

/** Containers know only what the compose file hands to each of them: `env_file` or `environment`. */
export const containerSettings: Check<'installation'> = {
  id: 'compose-env-file',
  about: 'Mastodon',
  title: 'Settings of the containers',
  cost: 'look',
  async look({ installation }) {
    if (installation.kind !== 'docker') return [{ severity: 'skipped', saw: 'no Docker Compose' }]
    const { services = [] } = installation
    const found = services.flatMap((service) => lacking(installation, service))
    if (found.length > 0) return found
    const names = services.map(({ name }) => name).join(', ')
    return [{ severity: 'ok', saw: `handed to ${names || 'Mastodon'}` }]
  },
}

/** Measured against the env file when the web service reads none, else against the web service. */
function lacking(installation: Installation, service: ComposedService): Verdict[] {
  const { envFile, composeFile, services = [] } = installation
  const file = composeFile ?? 'the compose file'
  if (service.envFiles.length === 0 && envFile.exists) {
    const own = [...service.settings.keys()].filter((name) => STORAGE.test(name))
    if (own.length === 0) return [noEnvFile(service, file, envFile.path)]
  }
  const web = services.find(({ role }) => role === 'web')
  if (web === undefined || web === service) return []
  const names = [...new Set([...web.settings.keys(), ...service.settings.keys()])]
  const different = names.filter(
    (name) =>
      STORAGE.test(name) && web.settings.get(name)?.value !== service.settings.get(name)?.value,
  )
  if (different.length === 0) return []
  return [
    {
      severity: 'fault',
      saw: `${file} hands other storage settings to ${service.name} than to ${web.name}: ${different.join(', ')}.`,
      matters: 'The two would store media in different places, or one of them not at all.',
      next: `Give both the same env_file and environment in ${file}, then:\n  docker compose -f ${file} up -d`,
    },
  ]
}

function noEnvFile({ name }: ComposedService, file: string, path: string): Verdict {
  return {
    severity: 'fault',
    saw: `${file} does not hand ${path} to the service ${name}.`,
    matters:
      "Mastodon's image holds no env file: without env_file the container knows nothing of the storage.",
    next: `Put the line "env_file: ${path}" below "${name}:" in ${file}, then:\n  docker compose -f ${file} up -d`,
  }
}
