import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { commands } from '../../src/commands.ts'
import { topicOf } from '../../src/topics.ts'
import { isRequired } from '../requirement.ts'
import { PROGRAM, run } from './program.ts'
import { tmuxMissing } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-tab-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** How each shell is started bare, and takes a script. */
const shells = {
  bash: ['bash', '--norc', '--noprofile', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '-i'],
} as const
type Shell = keyof typeof shells
const names = Object.keys(shells) as Shell[]

const scripts = new Map<Shell, string>()
for (const shell of names) {
  const { code, stdout } = await run(['completion', shell], { cwd: folder, env: { HOME: folder } })
  if (code !== 0) throw new Error(`completion ${shell} ended with ${code}`)
  scripts.set(shell, stdout)
}

function isHere(shell: Shell): boolean {
  try {
    execFileSync(shell, ['-c', 'true'])
    return tmuxMissing === undefined
  } catch (cause) {
    if (isRequired(shell)) throw new Error(`${shell} is not installed.`, { cause })
    return false
  }
}

/** A shell in a terminal, its completion loaded, with some files around it. */
async function opened(shell: Shell) {
  const own = mkdtempSync(join(folder, `${shell}-`))
  mkdirSync(join(own, 'work/nested'), { recursive: true })
  writeFileSync(join(own, 'work/notes.txt'), '')
  const script = join(own, 'script')
  writeFileSync(script, String(scripts.get(shell)))
  writeFileSync(join(own, 'conf'), 'set -g history-limit 5000\n')
  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-S', join(own, 'socket'), '-f', join(own, 'conf'), ...words], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: own, LANG: 'C.UTF-8', TERM: 'xterm-256color' },
    })
  const kept = ['env', '-i', `PATH=${process.env.PATH}`, `HOME=${own}`, 'TERM=xterm-256color']
  tmux(
    'new-session',
    '-d',
    '-x',
    '200',
    '-y',
    '50',
    '-c',
    join(own, 'work'),
    ...kept,
    ...shells[shell],
  )
  const screen = () => tmux('capture-pane', '-p', '-J').trimEnd()
  const see = async (words: RegExp) => {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
      if (words.test(screen())) return
    }
    throw new Error(`${words} never came. On the screen:\n${screen()}`)
  }
  const type = (text: string) => tmux('send-keys', '-l', text)
  const load = {
    bash: 'source',
    zsh: 'autoload -U compinit; compinit -u -D; source',
    fish: 'source',
  }
  // Twice: a shell may do so, and nothing may be in the way.
  type(`${load[shell]} ${script}; source ${script}; clear; echo read''y\n`)
  await see(/^ready/m)
  return {
    /** What stands on the line once `typed` was completed to match `wanted`. */
    async completes(typed: string, wanted: RegExp) {
      tmux('send-keys', 'C-u')
      type(`${typed}\t`)
      await see(wanted)
      tmux('send-keys', 'C-u')
    },
    own,
    close: () => void tmux('kill-server'),
  }
}

describe.each(names)('%s', (shell) => {
  test.skipIf(!isHere(shell))('completes commands, flags, values and paths', async () => {
    const terminal = await opened(shell)
    try {
      await terminal.completes('mastodon-r2 mig', /mastodon-r2 migrate$/m)
      await terminal.completes('mastodon-r2 migrate --max', /--max-loss/)
      await terminal.completes('mastodon-r2 migrate --stage cut', /--stage cutover/)
      await terminal.completes('mastodon-r2 migrate --stage=com', /--stage=compare/)
      await terminal.completes('mastodon-r2 init --mastodon-dir n', /--mastodon-dir nested\//)
      await terminal.completes('mastodon-r2 undo --log-file no', /--log-file notes\.txt/)
      await terminal.completes('mastodon-r2 doctor --quic', /doctor --quick/)
      await terminal.completes('mastodon-r2 completion fi', /completion fish/)
      await terminal.completes('mastodon-r2 help red', /help redirects/)
    } finally {
      terminal.close()
    }
  })

  test.skipIf(!isHere(shell))('nothing that was typed is carried out', async () => {
    const terminal = await opened(shell)
    try {
      await terminal.completes(
        'mastodon-r2 init --bucket "$(touch ../carried-out)" --mas',
        /--mastodon-/,
      )
      expect(existsSync(join(terminal.own, 'carried-out'))).toBe(false)
    } finally {
      terminal.close()
    }
  })

  test('knows every flag of every command', async () => {
    const script = String(scripts.get(shell))
    for (const { name } of commands) {
      const { catalog = {} } = (await topicOf(name)) ?? {}
      for (const { flag } of Object.values(catalog)) {
        const word = shell === 'fish' ? `from ${name}.*-l ${flag.slice(2)} ` : flag
        expect(script).toMatch(new RegExp(word))
      }
    }
  })
})

test.each([
  [[], 'The shell is missing.'],
  [['csh'], 'There is no completion for that.'],
  [['bash', 'zsh'], 'There is no completion for that.'],
])('completion %j is refused', async (args, what) => {
  const { code, stdout, stderr } = await run(['completion', ...args], { cwd: folder, env: {} })
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: `${what}\nSee: ${PROGRAM} completion bash|zsh|fish\n`,
  })
})
