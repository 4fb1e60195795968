import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ENV, LOCAL_DOMAIN, type Machine } from './machine.ts'
import { familyOf } from './processes.ts'
import type { Running } from './program.ts'
import { HOST, openStage, type Stage } from './stage.ts'

const OLD_SECRET = 'b'.repeat(64)
const NEIGHBOURS = `${LOCAL_DOMAIN}SECRET_KEY_BASE=${'c'.repeat(40)}\nDB_PASS='hunter two'\nAWS_ACCESS_KEY_ID=${'a'.repeat(32)}\nAWS_SECRET_ACCESS_KEY=${OLD_SECRET}\n`

/** What must never be seen: token values, S3 secrets, and what else the env file holds. */
function secretsOf({ sandbox }: Stage, minted: ReadonlyMap<string, string>): Map<string, string> {
  const tokens = [...minted.values(), ...sandbox.world.tokens.map(({ value }) => value)]
  const hashed = tokens.map((value) => createHash('sha256').update(value).digest('hex'))
  return new Map([
    ...tokens.map((value, index) => [value, `token ${index}`] as const),
    ...hashed.map((value, index) => [value, `S3 secret ${index}`] as const),
    [OLD_SECRET, 'the old S3 secret'],
    ['c'.repeat(40), 'SECRET_KEY_BASE'],
    ['hunter two', 'DB_PASS'],
  ])
}

/** Every command line of a run and its children, asked for again and again until it ends. */
async function argvOf(running: Running, eachTime: () => void): Promise<Set<string>> {
  const seen = new Set<string>()
  let ended = false
  running.ended.finally(() => {
    ended = true
  })
  while (!ended) {
    const began = performance.now()
    for (const { argv } of familyOf(running.pid)) seen.add(argv)
    eachTime()
    // Ten of these look at all processes: the runs that they look at need their turn.
    await sleep(Math.max(15, 10 * (performance.now() - began)))
  }
  return seen
}

interface Case {
  readonly name: string
  readonly args: readonly string[]
  readonly arrange?: (stage: Stage) => void
  readonly input?: (stage: Stage) => string
  readonly code: number
}

const fault = (stage: Stage, kind: 'malformed' | 'unsuccessful' | 'applied-then-reset') =>
  stage.sandbox.faults.add({ side: 'api', method: 'POST', path: '/tokens', kind, times: 9 })

const cases: Case[] = [
  { name: '--verbose', args: ['--verbose'], code: 0 },
  { name: '--verbose --json', args: ['--verbose', '--json'], code: 0 },
  {
    name: 'the token in the answers',
    args: ['--verbose', '--answers', '-'],
    input: ({ sandbox }) => JSON.stringify({ apiToken: sandbox.bootstrapToken.reveal() }),
    code: 0,
  },
  {
    name: 'broken answers with the token in them',
    args: ['--answers', '-'],
    input: ({ sandbox }) => `{"apiToken": "${sandbox.bootstrapToken.reveal()}",`,
    code: 2,
  },
  {
    name: 'the token where no flag is',
    args: ['--json', '--api-token-file', '-', '--bucket', 'UPPER_case!'],
    input: ({ sandbox }) => sandbox.bootstrapToken.reveal(),
    code: 2,
  },
  {
    name: 'a half answer about the new key',
    args: ['--verbose'],
    arrange: (stage) => fault(stage, 'malformed'),
    code: 1,
  },
  {
    name: 'a refusal of the new key',
    args: ['--verbose', '--json'],
    arrange: (stage) => fault(stage, 'unsuccessful'),
    code: 1,
  },
  {
    name: 'lost answers about the new key',
    args: ['--verbose'],
    arrange: (stage) => fault(stage, 'applied-then-reset'),
    code: 1,
  },
  {
    name: 'a refusing S3 endpoint',
    args: ['--verbose', '--json'],
    arrange: ({ sandbox }) =>
      sandbox.faults.add({ side: 's3', method: 'PUT', kind: 'status', status: 501, times: 99 }),
    code: 1,
  },
  {
    name: 'a broken media host',
    args: ['--verbose', '--json', '--wait-domain', '1ms'],
    arrange: ({ sandbox }) => {
      sandbox.world.delays.domainMs = 60_000
    },
    code: 1,
  },
]

test.concurrent.each(cases)('$name: no secret is seen', async (given) => {
  const { args, arrange, input, code } = given
  const stage = await openStage()
  try {
    arrange?.(stage)
    const at = stage.machine(NEIGHBOURS)
    const running = stage.start(at, ['--media-host', HOST, ...args], {
      env: {
        CLOUDFLARE_LOG: 'debug',
        NODE_DEBUG: undefined,
        ...(input && { CLOUDFLARE_API_TOKEN: undefined }),
      },
      ...(input && { input: input(stage) }),
    })
    // Tokens that are made and removed again are secrets, too.
    const minted = new Map<string, string>()
    const argv = await argvOf(running, () => {
      for (const { id, value } of stage.sandbox.world.tokens) minted.set(id, value)
    })
    const { code: ended, stdout, stderr } = await running.ended
    expect({ ended, said: stdout.slice(-2000) }).toMatchObject({ ended: code })
    expect(argv.size).toBeGreaterThan(0)
    const places = new Map([
      ['stdout', stdout],
      ['stderr', stderr],
      ...[...argv].map((line, index) => [`argv ${index}`, line] as const),
      ...otherFiles(at),
    ])
    expect(found(secretsOf(stage, minted), places)).toEqual([])
  } finally {
    await stage.close()
  }
})

/** All files but the env file and the backup of what it held. */
function otherFiles(at: Machine): [string, string][] {
  return [...at.files()].filter(([path, text]) => {
    const isBackup = path.startsWith(at.path(ENV)) && path.endsWith('.bak')
    if (isBackup) expect(text).toBe(NEIGHBOURS)
    return path !== at.path(ENV) && !isBackup
  })
}

function found(secrets: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>) {
  return [...places].flatMap(([place, text]) =>
    [...secrets]
      .filter(([secret]) => text.includes(secret))
      .map(([, name]) => `${name} in ${place}`),
  )
}

test('the search itself finds a secret', () => {
  const secrets = new Map([[OLD_SECRET, 'old']])
  expect(found(secrets, new Map([['stdout', `x${OLD_SECRET}x`]]))).toEqual(['old in stdout'])
})
