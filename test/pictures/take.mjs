/**
 * Takes pictures of the built program at work: each character is what tmux captured of a real run in
 * a sandbox, without the flags that lead to that one. `node test/pictures/take.mjs` writes docs/pictures/*.svg, `--check` compares their text
 * with that of a fresh run, but for what differs from run to run.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dark, light, svgOf, textOf } from './svg.mjs'

const root = resolve(import.meta.dirname, '../..')
const target = join(root, 'docs/pictures')
const cli = join(root, 'dist/cli.js')
const env = { PATH: process.env.PATH, LANG: 'C.UTF-8' }
const COLUMNS = 80

/**
 * Runs of the program: what is typed, each once the words before it are on the screen, and the
 * pictures that are taken in between, once their words are there.
 */
const scenes = [
  {
    args: ['init', '--sandbox', '--edge', 'none'],
    script: [
      { see: 'another one', press: ['Enter'] },
      { see: 'Carry this out?', press: ['y'] },
      { see: '● check ', press: ['Down', 'Down', 'Down', 'Down', 'Enter'] },
      { see: /\[over\]/, picture: 'init', from: 'Plan (rehearsal)', to: 'R2 is ready and proven.' },
    ],
  },
  {
    // So slowly that it can be seen.
    args: ['migrate', '--sandbox', '--bwlimit', '3M'],
    script: [
      { see: '● next  survey', press: ['Enter'] },
      {
        see: /● next {2}announce/,
        picture: 'survey',
        from: 'What is there:',
        to: 'stage cleanup.',
      },
      { press: ['Down', 'Down', 'Enter'] },
      { see: 'What should be copied?', press: ['Enter'] },
      { see: 'Copy them too?', press: ['y'] },
      { see: 'Carry this out?', press: ['y'] },
      { see: /[2-9]\d %.*$/m, picture: 'copy', from: 'Plan: copy', to: ' %' },
      { see: /Copied[\s\S]*● next {2}announce/, press: ['Down', 'Down', 'Down', 'Enter'] },
      { see: 'How should Mastodon be switched?', press: ['Enter'] },
      { see: /Both sides:[\s\S]*Carry this out\?/, press: ['y'] },
      {
        see: /● next {2}redirects/,
        picture: 'cutover',
        from: 'Before the switch: the media',
        to: '└  Switched: Mastodon stores',
      },
    ],
  },
  {
    prepare: setUpWithFaults,
    args: ['check'],
    script: [
      { see: /\[over\]/, picture: 'check', from: 'mastodon-r2 check', to: 'Not all is well' },
    ],
  },
]

/** A setup in a sandbox whose env file was changed by hand since: the environment to look at it in. */
async function setUpWithFaults(live) {
  const sandbox = spawn(process.execPath, [cli, 'sandbox', '--json'], { cwd: live, env })
  const [told] = await once(sandbox.stdout, 'data')
  const { cloudflareApiUrl, s3EndpointUrls, connectTo, apiToken, caFile } = JSON.parse(told)
  const inSandbox = {
    NODE_EXTRA_CA_CERTS: caFile,
    CLOUDFLARE_BASE_URL: cloudflareApiUrl,
    CLOUDFLARE_API_TOKEN: apiToken,
    MASTODON_R2_S3_ENDPOINT_URL: s3EndpointUrls.default,
    MASTODON_R2_CONNECT_TO: connectTo.join(','),
  }
  const words = ['init', '--yes', '--media-host', 'files.example.com', '--edge', 'none']
  execFileSync(process.execPath, [cli, ...words], {
    cwd: live,
    env: { ...env, ...inSandbox, HOME: live },
  })
  const file = join(live, '.env.production')
  const text = readFileSync(file, 'utf8')
    .replace(/^(S3_ALIAS_HOST)=.*/m, '$1=files.example.org')
    .replace(/^(AWS_SECRET_ACCESS_KEY=.{40}).*/m, '$1')
  writeFileSync(file, text)
  return {
    environment: inSandbox,
    async close() {
      sandbox.kill()
      await once(sandbox, 'exit')
    },
  }
}

/** Runs a scene in a terminal of its own and gives its pictures: lines with colours inside. */
async function* play({ args, script, prepare }) {
  const scratch = mkdtempSync(join(tmpdir(), 'mastodon-r2-picture-'))
  const live = mkdtempSync(join(tmpdir(), 'mastodon-'))
  writeFileSync(join(live, '.env.production'), 'LOCAL_DOMAIN=example.com\n', { mode: 0o600 })
  writeFileSync(join(scratch, 'conf'), 'set -g history-limit 5000\n')
  const prepared = await prepare?.(live)
  const tmux = (...words) =>
    execFileSync('tmux', ['-S', join(scratch, 'socket'), '-f', join(scratch, 'conf'), ...words], {
      encoding: 'utf8',
      env: { ...env, ...prepared?.environment, HOME: scratch, TERM: 'xterm-256color' },
    })
  const screen = (...how) => tmux('capture-pane', '-p', '-S', '-', ...how)
  const see = async (words) => {
    for (const until = Date.now() + 120_000; Date.now() < until; await sleep(50)) {
      const shown = screen('-e', '-J')
      const text = textOf(shown)
      if (typeof words === 'string' ? text.includes(words) : words.test(text)) return shown
    }
    throw new Error(`${words} never came. On the screen:\n${screen()}`)
  }
  const command = ['sh', '-c', '"$0" "$@"; echo "[over]"; exec sleep 1000', process.execPath, cli]
  try {
    tmux('new-session', '-d', '-x', String(COLUMNS), '-y', '50', '-c', live, ...command, ...args)
    for (const step of script) {
      const shown = step.see === undefined ? '' : await see(step.see)
      if (step.press) tmux('send-keys', ...step.press)
      if (step.picture) yield { name: step.picture, lines: between(shown, step) }
    }
  } finally {
    try {
      tmux('kill-server')
    } finally {
      await prepared?.close()
      for (const folder of [scratch, live]) rmSync(folder, { recursive: true, force: true })
    }
  }
}

const TO_SANDBOX = / --(?:s3-endpoint-url|connect-to|cloudflare-api-url) [\w:./-]+/g

/** The lines from one that has the first words to the next one that has the last. */
function between(shown, { from, to }) {
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(TO_SANDBOX, '').trimEnd())
  const text = lines.map(textOf)
  const first = text.findLastIndex((line) => line.includes(from))
  const last = text.findIndex((line, at) => at > first && line.includes(to))
  return lines.slice(first, last + 1)
}

/**
 * Random names, numbers and times are other ones in every run, and so is where a line breaks and
 * which of two things that go on side by side ends first: the words are compared, in no order.
 */
function steady(text) {
  return text
    .replace(/.*being stored.*\n/, '')
    .replace(/[◐◑◒◓] (.* \d+ %).*/, '$1')
    .replace(/((?:Copy until|Last copy|Copy what came)[^:]*:)[^✔]*/g, '$1 ')
    .replace(/ERR_SSL_\w+/g, 'X')
    .replace(/\/tmp\/[\w./-]+/g, 'X')
    .replace(/rehearsal-\w+|[0-9a-f]{32}|[0-9a-f]{6}\b/g, 'X')
    .replace(/[\s│]+/g, ' ')
    .replace(/[\d.,]+ ?(?:bytes?|[KMG]B|ms|s|min)?\b/g, 'N')
    .split(/[#.\s-]+/)
    .sort()
    .join(' ')
}

const titleOf = (svg) => /<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? ''
const isCheck = process.argv.includes('--check')
mkdirSync(target, { recursive: true })
// All to their end: each takes its terminal and its sandbox away then.
const ends = await Promise.allSettled(scenes.map((scene) => taken(scene, isCheck ? 3 : 1)))
const failed = ends.find(({ status }) => status === 'rejected')
if (failed) throw failed.reason

/** A word may be one of the moment: what is not as it is kept differs each time. */
async function taken(scene, times) {
  try {
    for await (const { name, lines } of play(scene)) save(name, lines)
  } catch (error) {
    if (times === 1) throw error
    await taken(scene, times - 1)
  }
}

function save(name, lines) {
  for (const scheme of [light, dark]) {
    const file = join(target, `${name}-${scheme.name}.svg`)
    const svg = svgOf(lines, scheme)
    if (!isCheck) writeFileSync(file, svg)
    else if (steady(titleOf(readFileSync(file, 'utf8'))) !== steady(titleOf(svg))) {
      throw new Error(`${file} is not what the program shows: npm run pictures`)
    }
  }
}
