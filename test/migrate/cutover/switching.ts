import { envWriter } from '../../../src/flow/world.ts'
import { type Cutover, switched } from '../../../src/migrate/cutover/cutover.ts'
import { envSwitchStep } from '../../../src/migrate/cutover/env-switch.ts'
import { readyToSwitch } from '../../../src/migrate/cutover/ready.ts'
import { isSwitched } from '../../../src/migrate/cutover/steps.ts'
import { type CutoverVariant, quietServices, restartFor } from '../../../src/moving/quiet.ts'
import { apply } from '../../../src/plan/apply.ts'
import type { Step } from '../../../src/plan/step.ts'
import type { Checkpoint } from '../../../src/services/checkpoint/port.ts'
import type { Installation, SidekiqProcess } from '../../../src/services/mastodon/port.ts'
import { serviceCommands } from '../../../src/services/mastodon/service-control.ts'
import { uploadProbe } from '../../../src/setup/proof.ts'
import { publicRead } from '../../../src/setup/public-read.ts'
import { restart } from '../../../src/setup/restart.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'
import { FakeS3 } from '../../fakes/fake-s3.ts'
import {
  ENV,
  envFileOf,
  installationOf,
  knownKey,
  mintedKey,
  worldOf,
} from '../../fakes/fake-world.ts'

const R2 = `https://${'a'.repeat(32)}.r2.cloudflarestorage.com`
export const prepared = `LOCAL_DOMAIN=example.com\nS3_ENABLED=false\nS3_BUCKET=example-media\nS3_REGION=auto\nS3_ENDPOINT=${R2}\nS3_PROTOCOL=https\nS3_PERMISSION=\nS3_ALIAS_HOST=files.example.com\nAWS_ACCESS_KEY_ID=${'1'.repeat(32)}\nAWS_SECRET_ACCESS_KEY=${'2'.repeat(64)}\n`
export const after = prepared.replace('S3_ENABLED=false', 'S3_ENABLED=true')

export const complete: Checkpoint = {
  version: 1,
  completeSince: '2026-11-20T00:00:00.000Z',
  begunAt: undefined,
  failed: [],
  vanished: [],
  selection: 'all',
  announcedAt: '2026-11-01T00:00:00.000Z',
  copied: { objects: 9, bytes: 9 },
  switchedAt: undefined,
  equalAt: undefined,
}

/** A bucket whose objects are as old as a test says. */
class AgedS3 extends FakeS3 {
  readonly ages = new Map<string, number>()

  override async *pages(prefix = '', signal?: AbortSignal) {
    for await (const page of super.pages(prefix, signal)) {
      yield page.map((one) => ({ ...one, lastModified: this.ages.get(one.key) ?? 0 }))
    }
  }
}

/** Sidekiq and web of a server, each with the env file as it was when it began. */
class FakeServer {
  env = prepared
  mode: Record<'web' | 'sidekiq', 'runs' | 'rests' | 'stopped'> = { web: 'runs', sidekiq: 'runs' }
  readonly holds = { web: prepared, sidekiq: prepared }
  jobs = 2
  /** Called before a command takes effect; a text is its failure. */
  fate: (line: string) => string | undefined = () => undefined

  do(line: string) {
    const problem = this.fate(line)
    if (problem !== undefined) return { exitCode: 1, stderr: problem }
    const roles = (['web', 'sidekiq'] as const).filter((role) => line.includes(role))
    for (const role of roles) {
      if (line.includes('TSTP')) this.mode[role] = 'rests'
      else if (line.includes(' stop')) this.mode[role] = 'stopped'
      else if (!line.includes(' start') || this.mode[role] === 'stopped') {
        this.mode[role] = 'runs'
        this.holds[role] = this.env
      }
    }
    return {}
  }

  sidekiq(): SidekiqProcess[] {
    if (this.mode.sidekiq === 'stopped') return []
    const quiet = this.mode.sidekiq === 'rests'
    if (quiet && this.jobs > 0) this.jobs -= 1
    return [{ busy: this.jobs, quiet }]
  }
}

export interface Switching {
  readonly variant?: CutoverVariant
  readonly kind?: 'systemd' | 'docker'
  readonly text?: string
  readonly installation?: Partial<Installation>
}

/** A server that is ready to be switched, and everything around it. */
export async function switching(more: Switching = {}) {
  const { variant = 'quiet', kind = 'systemd', text = prepared } = more
  const copy = copyWorld()
  const server = new FakeServer()
  server.env = text
  Object.assign(server.holds, { web: text, sidekiq: text })
  const s3 = new AgedS3()
  const settings = new Map(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, { value: value ?? '', from: ENV }] as const]
    }),
  )
  const file = envFileOf(text)
  const found = { envFile: file, envFiles: [file], settings, kind, ...more.installation }
  const installation = installationOf(found)
  const real = await envWriter()
  const facts = { accessKey: mintedKey, domainActive: { attached: true } }
  const world = { ...worldOf({ installation, knownKey }, facts), s3, connectS3: s3.connect }
  const web = Object.assign(world.web, { fetch: publicHost(s3) })
  world.runner.result = (line) => server.do(line)
  const writes: string[] = []
  const brought = new Map<string, string>()
  const cutover: Cutover = {
    variant,
    services: {
      commands: serviceCommands({ ...installation, dir: '/live' }, true),
      sidekiq: async () => server.sidekiq(),
    },
    readEnvFile: async () => envFileOf(server.env),
    bringBack: {
      folder: '/live/public/system',
      async add(key, body) {
        brought.set(key, new TextDecoder().decode(body))
        return true
      },
    },
    maxLoss: 0,
    waitJobsMs: 600_000,
  }
  const migration = { ...copy.migration, bucket: () => s3 }
  copy.checkpoint.held = complete
  const order: string[] = []
  let fault: string | undefined
  const part = (id: string): Step<never> => ({
    id,
    title: id,
    async look() {
      const what = `${id} with Sidekiq ${server.mode.sidekiq}`
      return order.includes(id)
        ? { is: 'ready', note: id }
        : { is: 'change', changes: [{ what, risk: 'safe' }] }
    },
    async change() {
      if (fault === id) throw refusal(`fault-${id}`)
      order.push(id)
      return {}
    },
  })
  const steps: Step[] = [
    readyToSwitch(migration, cutover),
    quietServices(migration, cutover, (at) => isSwitched(at, cutover)),
    part('copy-last'),
    envSwitchStep(migration, cutover),
    restart({ mode: 'run', commands: restartFor(cutover), assumeRestarted: false }),
    uploadProbe,
    publicRead,
    switched(migration),
    part('copy-after'),
  ]
  const write = async (before: { readonly text: string }, now: string) => {
    if (server.env !== before.text) throw refusal('env-file-changed')
    server.env = now
    writes.push(now)
    return { backup: `${ENV}.backup` }
  }
  const putBack = async (...args: Parameters<typeof write>) => void (await write(...args))
  const atWork = { ...world, web, envWriter: { ...real, write, putBack } }
  const progress = { started: () => undefined, told: () => undefined, ended: () => undefined }
  const run = () => apply(steps, atWork, progress)
  const failAt = (id: string) => {
    fault = id
  }
  return {
    ...copy,
    server,
    s3,
    world: atWork,
    cutover,
    migration,
    steps,
    writes,
    brought,
    order,
    run,
    failAt,
  }
}

/** The media host serves what is in the bucket. */
function publicHost(s3: FakeS3) {
  const host = worldOf().web
  return async (url: string, request: Parameters<typeof host.fetch>[1] = {}) => {
    const found = s3.objects.get(new URL(url).pathname.slice(1))
    const { range, origin } = request.headers ?? {}
    const headers: [string, string][] = found ? [['content-type', found.contentType]] : []
    if (origin !== undefined) headers.push(['access-control-allow-origin', '*'])
    const body = range === undefined ? found?.body : found?.body.slice(4, 20)
    return {
      status: found === undefined ? 404 : range === undefined ? 200 : 206,
      header: (name: string) => headers.filter(([own]) => own === name).map(([, it]) => it),
      body: body ?? new Uint8Array(),
    }
  }
}
