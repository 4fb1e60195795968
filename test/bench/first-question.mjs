import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const ROUNDS = 30
const VERSION = 'def major\n  4\nend\ndef minor\n  6\nend\n'
const SET_UP = `LOCAL_DOMAIN=social.example.com
S3_ENABLED=true
S3_BUCKET=media
S3_ENDPOINT=https://${'a'.repeat(32)}.r2.cloudflarestorage.com
S3_ALIAS_HOST=files.example.com
AWS_ACCESS_KEY_ID=${'a'.repeat(32)}
AWS_SECRET_ACCESS_KEY=${'b'.repeat(64)}
`

/** From Enter to the first question of `init` on a server, as a multiple of a Node that does nothing. */
export async function firstQuestionFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-first-'))
  try {
    const fresh = await server(join(folder, 'fresh'), 'LOCAL_DOMAIN=social.example.com\n')
    const setUp = await server(join(folder, 'set-up'), SET_UP)
    const times = { bare: [], fresh: [], setUp: [] }
    for (let round = -2; round < ROUNDS; round += 1) {
      // Turn by turn, so that a busy moment of the machine meets all of them alike.
      const took = {
        bare: await until(undefined, folder, [process.execPath, '-e', '0']),
        fresh: await until('Should Cloudflare', fresh, [cli, 'init']),
        setUp: await until('What would you like', setUp, [cli, 'init']),
      }
      if (round < 0) continue
      for (const [name, ms] of Object.entries(took)) times[name].push(ms)
    }
    const bare = median(times.bare)
    const row = (name, of) => ({
      name: `first question of init, ${name}`,
      value: median(of) / bare,
      limit: 1.6,
      unit: '× node -e 0',
      detail: `${Math.round(median(of))} ms, bare ${Math.round(bare)} ms`,
    })
    return [row('nothing set up', times.fresh), row('all set up', times.setUp)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function server(live, text) {
  await mkdir(join(live, 'lib/mastodon'), { recursive: true })
  await writeFile(join(live, 'lib/mastodon/version.rb'), VERSION)
  await writeFile(join(live, '.env.production'), text)
  return live
}

/** Milliseconds until a program on a terminal shows these words, or ends. */
function until(words, cwd, command) {
  return new Promise((resolve, reject) => {
    const before = performance.now()
    const line = `stty cols 80 rows 24; exec ${command.map((word) => `'${word}'`).join(' ')}`
    const env = { PATH: process.env.PATH, HOME: cwd, TERM: 'xterm', LANG: 'C.UTF-8' }
    const child = spawn('script', ['-qfec', line, '/dev/null'], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let shown = ''
    let took
    child.stdin.on('error', () => undefined)
    child.stdout.on('data', (chunk) => {
      shown += chunk
      if (words === undefined || took !== undefined || !shown.includes(words)) return
      took = performance.now() - before
      // As a person ends it.
      child.stdin.write('\u0003')
    })
    child.on('error', reject)
    child.on('close', () => {
      if (words === undefined) took = performance.now() - before
      if (took === undefined) reject(new Error(`It ended without "${words}":\n${shown}`))
      else resolve(took)
    })
  })
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
