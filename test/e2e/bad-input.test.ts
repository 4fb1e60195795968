import { afterAll, expect, test } from 'vitest'
import { badInputs } from './bad-inputs.ts'
import { filesBelow, LOCAL_DOMAIN } from './machine.ts'
import { run } from './program.ts'
import { HOST, openStage } from './stage.ts'

const stage = await openStage()
afterAll(() => stage.close())

/** Names a host of its own, or leaves it out on purpose. */
function mayLackHost(args: readonly string[], input: string): boolean {
  return args.includes('--media-host') || input.includes('mediaHost')
}

test.concurrent.each(badInputs)('$name', async (given) => {
  const { args = [], env = {}, input = '', envFile = LOCAL_DOMAIN, unprivileged = false } = given
  const at = stage.machine(envFile)
  given.arrange?.(at)
  const before = filesBelow(at.dir)
  const namesHost = mayLackHost(args, input) || 'MASTODON_R2_MEDIA_HOST' in env
  const host = namesHost ? [] : ['--media-host', HOST]
  const words = ['init', '--yes', '--json', ...host, ...args]
  const { code, stdout, stderr } = unprivileged
    ? await stage.init(at, words, { env, input, unprivileged })
    : await stage.initHere(at, words, { env, input })
  const { problem } = JSON.parse(stdout)
  expect({ code, problem: problem?.code, stderr }).toMatchObject({
    code: 2,
    problem: given.problem,
  })
  const said = Object.values<string>(problem).join('\n').toLowerCase()
  for (const word of given.words) expect(said).toContain(word.toLowerCase())
  expect(problem.next).not.toBe('')
  expect(filesBelow(at.dir)).toEqual(before)
  expect(stage.writes()).toEqual([])
})

test('there are sixty of them', () => {
  expect(badInputs.length).toBeGreaterThanOrEqual(60)
})

test.concurrent.each([
  { args: ['--media-host', 'a_b.example.com'], words: ['underscore', 'a-b.example.com'] },
  { args: ['--media-host', HOST, '--buket', 'media'], words: ['Did you mean --bucket?'] },
  { args: ['--media-host', HOST, '--format', 'json'], words: ['--format', '--print'] },
  { args: ['--media-host', HOST, '--print', '--dry-run'], words: ['--print and --dry-run'] },
])('without --json the words are on the screen: $args', async ({ args, words }) => {
  const { code, stdout, stderr } = await stage.initHere(stage.machine(), args)
  expect({ code, stdout }).toMatchObject({ code: 2 })
  const shown = stdout + stderr
  expect(shown).toMatch(/^Why: /m)
  expect(shown).toMatch(/^Next: /m)
  for (const word of words) expect(shown).toContain(word)
})

test.concurrent.each([
  [['inti'], 'Did you mean init?'],
  [['--verison'], 'Did you mean --version?'],
  [['help', 'nothing'], 'mastodon-r2 help'],
])('%j is no command', async (args, words) => {
  const at = stage.machine()
  const { code, stdout, stderr } = await run(args, { cwd: at.dir, env: {} })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(words)
})
