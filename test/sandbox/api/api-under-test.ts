import { type ApiOptions, startApi } from '../../../src/sandbox/api/server.ts'
import { type SeedOptions, seedWorld } from '../../../src/sandbox/seed.ts'
import type { LoggedRequest } from '../../../src/sandbox/world.ts'
import { createFaults } from '../../../src/sandbox/world.ts'

export interface Call {
  body?: unknown
  headers?: Record<string, string>
  /** null: none. The bootstrap token unless told. */
  token?: string | null
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely by tests
type Loose = any

export interface Told {
  status: number
  headers: Headers
  body: Loose
  result: Loose
  /** The first error's code. */
  code: number | undefined
}

/** An API over a fresh world with a clock that stands still until it is moved. */
export async function apiUnderTest(seed: SeedOptions = {}, options: Partial<ApiOptions> = {}) {
  const time = { now: Date.parse('2026-11-22T12:00:00Z') }
  const clock = () => time.now
  const { world, bootstrapToken } = seedWorld({ clock, ...seed })
  const log: LoggedRequest[] = []
  const faults = createFaults()
  const api = await startApi(world, { log: (entry) => log.push(entry), faults, clock, ...options })
  const call = async (method: string, path: string, sent: Call = {}): Promise<Told> => {
    const token = sent.token === undefined ? bootstrapToken.reveal() : sent.token
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(sent.body === undefined ? {} : { body: bodyText(sent.body) }),
    })
    const body: Loose = await response.json()
    const { status, headers } = response
    return { status, headers, body, result: body.result, code: body.errors?.[0]?.code }
  }
  return {
    api,
    world,
    token: bootstrapToken.reveal(),
    account: world.accounts[0]!.id,
    zone: world.zones[0]?.id ?? '',
    time,
    log,
    faults,
    call,
  }
}

export type ApiUnderTest = Awaited<ReturnType<typeof apiUnderTest>>

/** A bucket-scoped token as the setup mints it. */
export function itemWrite(account: string, bucket: string, jurisdiction = 'default') {
  return {
    effect: 'allow',
    permission_groups: [{ id: '2efd5506f9c8494dacb1fa10a3e7d5b6' }],
    resources: { [`com.cloudflare.edge.r2.bucket.${account}_${jurisdiction}_${bucket}`]: '*' },
  }
}

function bodyText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}
