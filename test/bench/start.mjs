import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const ROUNDS = 60

const runs = {
  bare: [process.execPath, '-e', '0'],
  '--help': [cli, '--help'],
  '--version': [cli, '--version'],
}

/** Start times, each as a multiple of a Node that does nothing. */
export function startFigures() {
  const times = { bare: [], '--help': [], '--version': [] }
  // Turn by turn, so that a busy moment of the machine meets all of them alike.
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const [name, [program, ...args]] of Object.entries(runs)) {
      const ms = timed(program, args)
      if (round >= 0) times[name].push(ms)
    }
  }
  const bare = median(times.bare)
  return ['--help', '--version'].map((name) => ({
    name: `start of ${name}, against node -e 0`,
    value: median(times[name]) / bare,
    limit: 1.25,
    unit: 'times',
    detail: `${Math.round(median(times[name]))} ms, bare ${Math.round(bare)} ms`,
  }))
}

function timed(program, args) {
  const before = process.hrtime.bigint()
  const { status } = spawnSync(program, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}.`)
  return Number(process.hrtime.bigint() - before) / 1e6
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
