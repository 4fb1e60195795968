/**
 * Takes pictures of the built program at work: each character is what tmux captured of a real run in
 * a sandbox. `node test/pictures/take.mjs` writes docs/pictures/*.svg, `--check` compares their text
 * with that of a fresh run, but for what differs from run to run.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dark, light, svgOf, textOf } from './svg.mjs'

const root = resolve(import.meta.dirname, '../..')
const target = join(root, 'docs/pictures')
const COLUMNS = 80

/** What is typed, each once the words before it are on the screen; then the words of the end. */
const pictures = [
  {
    name: 'init',
    args: ['init', '--sandbox', '--edge', 'none'],
    keys: [
      ['another one', 'Enter'],
      ['Carry this out?', 'y'],
    ],
    end: /\[over\]/,
    from: 'Plan (rehearsal)',
    to: 'R2 is ready and proven.',
  },
  {
    name: 'survey',
    args: ['migrate', '--sandbox'],
    keys: [['● next  survey', 'Enter']],
    end: /● next {2}announce/,
    from: 'What is there:',
    to: 'stage cleanup.',
  },
]

/** Runs one of them in a terminal of its own and gives the lines that it left, colours inside. */
async function take({ args, keys, end, from, to }) {
  const scratch = mkdtempSync(join(tmpdir(), 'mastodon-r2-picture-'))
  const live = mkdtempSync(join(tmpdir(), 'mastodon-'))
  writeFileSync(join(live, '.env.production'), 'LOCAL_DOMAIN=example.com\n')
  writeFileSync(join(scratch, 'conf'), 'set -g history-limit 5000\n')
  const tmux = (...words) =>
    execFileSync('tmux', ['-S', join(scratch, 'socket'), '-f', join(scratch, 'conf'), ...words], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: scratch, LANG: 'C.UTF-8', TERM: 'xterm-256color' },
    })
  const screen = (...how) => tmux('capture-pane', '-p', '-S', '-', ...how)
  const see = async (words) => {
    for (const until = Date.now() + 120_000; Date.now() < until; await sleep(100)) {
      const shown = screen()
      if (typeof words === 'string' ? shown.includes(words) : words.test(shown)) return
    }
    throw new Error(`${words} never came. On the screen:\n${screen()}`)
  }
  const cli = join(root, 'dist/cli.js')
  const command = ['sh', '-c', '"$0" "$@"; echo "[over]"; exec sleep 1000', process.execPath, cli]
  try {
    tmux('new-session', '-d', '-x', String(COLUMNS), '-y', '50', '-c', live, ...command, ...args)
    for (const [words, key] of keys) {
      await see(words)
      tmux('send-keys', key)
    }
    await see(end)
    const lines = screen('-e').trimEnd().split('\n')
    const shown = lines.map(textOf)
    const first = shown.findIndex((text) => text.includes(from))
    const last = shown.findIndex((text, at) => at > first && text.includes(to))
    return lines.slice(first, last + 1)
  } finally {
    try {
      tmux('kill-server')
    } finally {
      for (const folder of [scratch, live]) rmSync(folder, { recursive: true, force: true })
    }
  }
}

/**
 * Random names, numbers and times are other ones in every run, and so is where a line breaks and
 * which of two things that go on side by side ends first: the words are compared, in no order.
 */
function steady(text) {
  return text
    .replace(/.*being stored.*\n/, '')
    .replace(/rehearsal-\w+|[0-9a-f]{32}|[0-9a-f]{6}\b/g, 'X')
    .replace(/[\d.,]+ ?(?:bytes?|[KMG]B|ms|s|min)?\b/g, 'N')
    .split(/[#.\s-]+/)
    .sort()
    .join(' ')
}

const titleOf = (svg) => /<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? ''
const isCheck = process.argv.includes('--check')
mkdirSync(target, { recursive: true })
for (const picture of pictures) {
  const lines = await take(picture)
  for (const scheme of [light, dark]) {
    const file = join(target, `${picture.name}-${scheme.name}.svg`)
    const svg = svgOf(lines, scheme)
    if (!isCheck) writeFileSync(file, svg)
    else if (steady(titleOf(readFileSync(file, 'utf8'))) !== steady(titleOf(svg))) {
      throw new Error(`${file} is not what the program shows: npm run pictures`)
    }
  }
}
