import type { CheckWorld, ConfiguredStorage } from '../../../src/plan/verdict.ts'
import { containerSettings } from '../../../src/services/mastodon/compose/settings.ts'
import { envReader, railsSettings, unitSettings } from '../../../src/services/mastodon/env-read.ts'
import type {
  EnvBackupPath,
  EnvFileOnDisk,
  Installation,
} from '../../../src/services/mastodon/port.ts'

export const ENV = '/home/mastodon/live/.env.production'
export const ACCOUNT = 'a'.repeat(32)
export const ENDPOINT = `https://${ACCOUNT}.r2.cloudflarestorage.com`
export const SECRET = 'd'.repeat(64)

/** What `init` writes, under two settings of a usual file. */
export const healthy: Readonly<Record<string, string>> = {
  LOCAL_DOMAIN: 'social.test',
  SECRET_KEY_BASE: 'e'.repeat(128),
  S3_ENABLED: 'true',
  S3_BUCKET: 'social-media',
  S3_REGION: 'auto',
  S3_ENDPOINT: ENDPOINT,
  S3_PROTOCOL: 'https',
  S3_PERMISSION: '',
  S3_ALIAS_HOST: 'files.social.test',
  AWS_ACCESS_KEY_ID: 'c'.repeat(32),
  AWS_SECRET_ACCESS_KEY: SECRET,
}

/** Lines of an env file; a change to `undefined` leaves the line out. */
export function lines(changes: Readonly<Record<string, string | undefined>> = {}): string {
  return Object.entries({ ...healthy, ...changes })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}\n`]))
    .join('')
}

export function file(text: string, more: Partial<EnvFileOnDisk> = {}): EnvFileOnDisk {
  const path = more.path ?? ENV
  return { path, realPath: path, exists: true, text, mode: 0o640, writable: true, ...more }
}

/** Who reads the file: Rails itself, systemd before it, compose, or compose with `format: raw`. */
export type Reader = 'dotenv' | 'systemd' | 'compose' | 'raw'

interface Situation {
  readonly reader?: Reader
  readonly files?: readonly EnvFileOnDisk[]
  /** Of the systemd unit, or under `environment:` of the compose file. */
  readonly given?: Readonly<Record<string, string>>
  readonly installation?: Partial<Installation>
  readonly storage?: Partial<ConfiguredStorage>
  readonly backups?: readonly EnvBackupPath[]
  readonly changedAt?: Date
  readonly behindProxy?: string
}

export type World = Pick<CheckWorld, 'installation' | 'storage' | 'envReader' | 'behindProxy'>

/** The world of the checks, its settings read by the real readers. */
export function reading(text: string, situation: Situation = {}): World {
  const { reader = 'dotenv', files = [file(text)], given = {} } = situation
  const isDocker = reader === 'compose' || reader === 'raw'
  const composeFile = '/opt/mastodon/docker-compose.yml'
  const unit = 'mastodon-web.service'
  const extra = new Map(Object.entries(given))
  const settings = isDocker
    ? containerSettings({
        files: files.map(({ path, text }) => ({ path, text, raw: reader === 'raw' })),
        environment: extra,
        composeFile,
        lookUp: () => undefined,
        refuse: () => undefined,
      })
    : railsSettings(unitSettings(unit, extra, reader === 'systemd' ? files : [], []), files)
  const value = (name: string) => settings.get(name)?.value
  return {
    installation: {
      kind: isDocker ? 'docker' : 'systemd',
      dir: '/home/mastodon/live',
      composeFile: isDocker ? composeFile : undefined,
      version: '4.6.5',
      envFile: files.find(({ path }) => path === ENV) ?? file(text),
      envFiles: files,
      settings,
      localDomain: value('LOCAL_DOMAIN'),
      webDomain: value('WEB_DOMAIN'),
      media: { root: undefined, files: 0, more: false, readable: true },
      units: { web: [unit], sidekiq: ['mastodon-sidekiq.service'] },
      ...situation.installation,
    },
    storage: {
      enabled: value('S3_ENABLED') === 'true',
      isR2: value('S3_ENDPOINT')?.includes('.r2.cloudflarestorage.com') ?? false,
      endpoint: value('S3_ENDPOINT'),
      bucket: value('S3_BUCKET'),
      mediaHost: value('S3_ALIAS_HOST'),
      key: undefined,
      accountId: ACCOUNT,
      jurisdiction: 'default',
      ...situation.storage,
    },
    envReader: {
      ...envReader,
      backups: async () => situation.backups ?? [],
      changedAt: async () => situation.changedAt,
    },
    behindProxy: situation.behindProxy,
  }
}
