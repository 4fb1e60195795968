import { Secret } from '../../../src/core/secret.ts'
import type { CheckWorld } from '../../../src/plan/verdict.ts'
import type { Installation, RunningProcess } from '../../../src/services/mastodon/port.ts'
import type { S3Port } from '../../../src/services/s3/port.ts'
import { ENV, lines, reading } from './reading.ts'

export interface Page {
  readonly status?: number
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

export interface Situation {
  readonly installation?: Partial<Installation>
  /** By URL; a Problem is thrown. What is not named answers 404. */
  readonly pages?: Readonly<Record<string, Page | Error>>
  readonly running?: readonly RunningProcess[] | undefined
  /** Modification times by path. */
  readonly changed?: Readonly<Record<string, Date>>
  readonly keys?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

export const at = (hour: number) => new Date(Date.UTC(2026, 10, 22, hour))
export const CSP =
  "base-uri 'none'; default-src 'none'; img-src 'self' data: blob: https://files.social.test; media-src 'self' data: https://files.social.test; connect-src 'self' data: blob: wss://social.test https://files.social.test"
export const page = (policy: string): Page => ({
  headers: [['content-security-policy', policy]],
})

/** A healthy server at ten o'clock, but for what is told. */
export function worldOf(situation: Situation = {}): Partial<CheckWorld> {
  const { pages = { 'https://social.test/': page(CSP) }, keys = [] } = situation
  const changed = situation.changed ?? { [ENV]: at(8) }
  const running =
    'running' in situation
      ? situation.running
      : ([
          { role: 'web', name: 'mastodon-web.service', startedAt: at(9) },
          { role: 'sidekiq', name: 'mastodon-sidekiq.service', startedAt: at(9) },
          { role: 'streaming', name: 'mastodon-streaming.service', startedAt: at(1) },
        ] as const)
  const read = reading(lines(situation.env))
  const key = { accessKeyId: 'c'.repeat(32), secretAccessKey: new Secret('d') }
  const list = async (prefix: string) => keys.filter((one) => one.startsWith(prefix))
  return {
    ...read,
    installation: { ...read.installation, ...situation.installation },
    storage: { ...read.storage, key },
    connectS3: () => ({ list }) as Partial<S3Port> as S3Port,
    web: {
      async fetch(url: string) {
        const found = pages[url] ?? { status: 404 }
        if (found instanceof Error) throw found
        const { status = 200, headers = [] } = found
        const header = (name: string) => headers.filter(([one]) => one === name).map(([, it]) => it)
        return { status, header, body: new Uint8Array() }
      },
    } as Partial<CheckWorld['web']> as CheckWorld['web'],
    processes: {
      running: async () => running,
      changedAt: async (path: string) => changed[path],
    },
    clock: { now: () => at(10), sleep: async () => {}, randomHex: () => '' },
  }
}
