import { expect, test } from 'vitest'
import { type Around, rotatingServer } from '../rotate/rotating-server.ts'
import { recoveries } from './recovery.ts'
import { type Kind, kinds, requestsOf, type Strike, strikeAt, textOf } from './strike.ts'

type Server = Awaited<ReturnType<typeof rotatingServer>>

/** Nothing hangs in the run that repairs; the machine may be busy. */
const PATIENCE_MS = 20_000
/** Servers side by side; most of their time is waiting. */
const LANES = 4

/** Every request of a rotation, each kind of fault, in the order of the rotation. */
async function strikesOf(server: Server): Promise<Strike[]> {
  let before = 0
  const { problem } = await server.rotate(
    undefined,
    () => {
      before = server.sandbox.log.length
    },
    PATIENCE_MS,
  )
  expect(problem).toBeUndefined()
  const requests = requestsOf(server.sandbox.log.slice(before))
  return requests.flatMap((request) =>
    (Object.keys(kinds) as Kind[]).map((kind) => ({ ...request, kind, always: false })),
  )
}

/**
 * The key in the env file and the one that processes hold work after every call, of the run that is
 * struck and of the one that repairs.
 */
async function survives(
  server: Server,
  strike: Strike,
  recovers: ReturnType<typeof recoveries>,
): Promise<void> {
  const broken = new Set<string>()
  const watched: Around = async (name, call) => {
    try {
      return await call()
    } finally {
      for (const fault of server.faults()) broken.add(`${fault} after ${name}`)
    }
  }
  const { problem } = await server.rotate(watched, () => strikeAt(server.sandbox, strike))
  strikeAt(server.sandbox, undefined)
  if (problem) expect(String(problem.next)).toMatch(/\S{3}/)
  expect([...broken]).toEqual([])
  const { sandbox, keyInFile, held, isFresh, files } = server
  const left = { sandbox, keys: [keyInFile(), held()], fresh: isFresh(), files: files() }
  await recovers(left, async () => {
    const again = await server.rotate(watched, undefined, PATIENCE_MS)
    expect(again.problem?.what).toBeUndefined()
    expect([...broken]).toEqual([])
    expect(server.keys()).toEqual([expect.stringMatching(/^active mastodon-r2 media /)])
    expect(sandbox.world.tokens[1]?.id).toBe(keyInFile().id)
    expect(held()).toEqual(keyInFile())
  })
}

test('each request of rotate, each kind of fault', { timeout: 1_200_000 }, async () => {
  const servers = await Promise.all(
    Array.from({ length: LANES }, () => rotatingServer({ impatient: true })),
  )
  try {
    const prepared = new Map(servers.map((server) => [server, server.save()]))
    const queue = await strikesOf(servers[0] as Server)
    expect(queue.length).toBeGreaterThanOrEqual(300)
    const failures: string[] = []
    const recovers = recoveries()
    const lane = async (server: Server) => {
      for (let strike = queue.shift(); strike; strike = queue.shift()) {
        prepared.get(server)?.()
        try {
          await survives(server, strike, recovers)
        } catch (error) {
          const text = String((error as Error).stack ?? error).slice(0, 1500)
          failures.push(`${strike.kind} at ${strike.nth}. ${textOf(strike)}\n${text}`)
        }
      }
    }
    await Promise.all(servers.map(lane))
    expect(failures).toEqual([])
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
})
