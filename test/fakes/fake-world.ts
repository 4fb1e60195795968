import { Cancelled } from '../../src/core/problem.ts'
import { Secret } from '../../src/core/secret.ts'
import {
  type Clock,
  type EnvWriter,
  type Facts,
  inSetup,
  type Setup,
  type World,
} from '../../src/plan/step.ts'
import type { BootstrapToken } from '../../src/services/cloudflare/port.ts'
import type { EnvFileOnDisk, Installation } from '../../src/services/mastodon/port.ts'
import { FakeCloudflare } from './fake-cloudflare.ts'
import { FakeProcesses } from './fake-processes.ts'
import { FakeRunner } from './fake-runner.ts'
import { FakeS3 } from './fake-s3.ts'
import { FakeWeb } from './fake-web.ts'

export const ACCOUNT = 'a'.repeat(32)
export const HOST = 'files.example.com'
export const ENV = '/home/mastodon/live/.env.production'
export const printing = { kind: 'print', reason: '--print', path: ENV } as const
export const knownKey = { accessKeyId: '1'.repeat(32), secretAccessKey: new Secret('2'.repeat(64)) }
export const mintedKey = { ...knownKey, minted: true }

/** Time passes only by sleeping. Its functions stand alone, as a run copies the clock. */
export class FakeClock implements Clock {
  slept = 0
  #count = 0

  readonly now = () => new Date(Date.UTC(2026, 10, 22, 10) + this.slept)

  readonly sleep: Clock['sleep'] = async (ms, signal) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (signal?.aborted) throw new Cancelled()
    this.slept += ms
    if (this.slept > 86_400_000) throw new Error('Waited for more than a day.')
  }

  readonly randomHex = (length: number) => {
    this.#count += 1
    return this.#count.toString(16).padStart(length, '0')
  }
}

/** Plain lines, no quotes, no block: enough to see what a step asks for. */
class FakeEnvWriter implements EnvWriter {
  readonly written: string[] = []

  edit(text: string, values: ReadonlyMap<string, string>, retire: readonly string[]) {
    const isOurs = (line: string) => values.has(line.split('=')[0] ?? '')
    const kept = text.split('\n').filter((line) => line !== '' && !isOurs(line))
    const lines = kept.map((line) =>
      retire.some((name) => line.startsWith(`${name}=`)) ? `# ${line}` : line,
    )
    return `${[...lines, ...[...values].map(([name, value]) => `${name}=${value}`)].join('\n')}\n`
  }

  diff(before: string, after: string) {
    const [old, fresh] = [before.split('\n'), after.split('\n')]
    return [
      ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
      ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
    ]
  }

  async write(file: EnvFileOnDisk, text: string) {
    this.written.push(text)
    return { backup: file.exists ? `${file.path}.backup` : undefined }
  }

  async putBack(_: EnvFileOnDisk, text: string) {
    this.written.push(text)
  }

  /** What is found where the file has changed; installed by the test that asks. */
  preview: EnvWriter['preview'] = () => Promise.reject(new Error('Nothing is to be found.'))

  render() {
    return 'the block'
  }
}

export function envFileOf(text: string, more: Partial<EnvFileOnDisk> = {}): EnvFileOnDisk {
  const path = more.path ?? ENV
  return { path, realPath: path, exists: true, text, mode: 0o640, writable: true, ...more }
}

export function installationOf(more: Partial<Installation> = {}): Installation {
  const file = envFileOf('LOCAL_DOMAIN=example.com\n')
  return {
    kind: 'systemd',
    pumaWorkers: true,
    dir: '/home/mastodon/live',
    composeFile: undefined,
    version: '4.6.5',
    envFile: file,
    envFiles: [file],
    settings: new Map([['LOCAL_DOMAIN', { value: 'example.com', from: ENV }]]),
    localDomain: 'example.com',
    webDomain: undefined,
    media: { root: undefined, files: 0, more: false, readable: true },
    units: { web: ['mastodon-web.service'], sidekiq: ['mastodon-sidekiq.service'] },
    ...more,
  }
}

/** Who the API token is: the account's, and active. */
export function tokenOf(more: Partial<BootstrapToken> = {}): Setup['token'] {
  return async () => ({ id: 'b'.repeat(32), kind: 'account', status: 'active', ...more })
}

export function setupOf(more: Partial<Setup> = {}): Setup {
  const installation = more.installation ?? installationOf()
  return {
    token: tokenOf(),
    owner: { kind: 'account', accountId: ACCOUNT },
    at: { accountId: ACCOUNT, bucket: 'example-media', jurisdiction: 'default' },
    jurisdictionGiven: false,
    location: undefined,
    zone: {
      id: 'zone-1',
      name: 'example.com',
      status: 'active',
      type: 'full',
      paused: false,
      account: { id: ACCOUNT, name: 'Ours' },
    },
    mediaHost: HOST,
    corsOrigins: ['*'],
    allowIps: [],
    keyExpiresOn: undefined,
    s3Endpoint: `https://${ACCOUNT}.r2.cloudflarestorage.com`,
    waitDomainMs: 900_000,
    waitKeyMs: 90_000,
    installation,
    storage: 'switch',
    target: { kind: 'file', file: installation.envFile },
    knownKey: undefined,
    ...more,
  }
}

/** A world of fakes around a setup; the fakes are at hand to arrange and to ask. */
export function worldOf(setup: Partial<Setup> = {}, facts: Partial<Facts> = {}) {
  const s3 = new FakeS3()
  const world = {
    cloudflare: new FakeCloudflare(),
    s3,
    connectS3: s3.connect,
    web: new FakeWeb(s3),
    envWriter: new FakeEnvWriter(),
    processes: new FakeProcesses(),
    runner: new FakeRunner(),
    clock: new FakeClock(),
    ...inSetup(setupOf(setup)),
    facts,
  }
  return world satisfies World
}
