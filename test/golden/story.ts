import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { commands } from '../../src/commands.ts'
import { flags } from '../../src/sandbox/sandbox.ts'
import { ENV, type Machine } from '../e2e/machine.ts'
import { cli } from '../e2e/program.ts'
import { openStage } from '../e2e/stage.ts'
import { openTerminal } from '../e2e/terminal.ts'

const exec = promisify(execFile)

/** One run of the built program, and the keys that a person presses, each once its words are seen. */
interface Scene {
  readonly name: string
  readonly args: readonly string[]
  readonly keys?: readonly (readonly [words: string, ...keys: string[]])[]
  /** What the env file holds for this one alone. */
  readonly edit?: (text: string) => string
  readonly asksToken?: true
}

const agreed = ['Carry this out?', 'y'] as const
const stage = (name: string, ...keys: NonNullable<Scene['keys']>): Scene => ({
  name: `migrate-${name}`,
  args: ['migrate', '--stage', name],
  keys: [...keys, agreed],
})

/** From an empty server to one that is set up, moved, looked after, and taken back. */
const scenes: readonly Scene[] = [
  {
    name: 'init',
    args: ['init'],
    asksToken: true,
    keys: [
      ['● Yes, as recommended', 'Enter'],
      ['Paste the token here', 'TOKEN', 'Enter'],
      ['● files.example.com', 'Enter'],
      ['● Prepare everything', 'Enter'],
      agreed,
    ],
  },
  { name: 'migrate', args: ['migrate'], keys: [['● next  survey', 'Up', 'Enter']] },
  { name: 'migrate-survey', args: ['migrate', '--stage', 'survey'] },
  stage('announce'),
  stage(
    'cleanup',
    ['older than 7 days?', 'y'],
    ['nobody here follows?', 'n'],
    ['link previews', 'n'],
    ['database does not know?', 'n'],
  ),
  stage('copy', ['● Everything', 'Enter'], ['backups/ and imports/', 'n']),
  stage('cutover', ['● With Sidekiq at rest', 'Enter']),
  { name: 'migrate-compare', args: ['migrate', '--stage', 'compare'] },
  { name: 'redirects', args: ['redirects'], keys: [agreed] },
  { name: 'check', args: ['check'] },
  {
    name: 'check-faulty',
    args: ['check'],
    edit: (text) =>
      `${text.replace(/^S3_ALIAS_HOST=.*\n/m, '')}EXTRA_MEDIA_HOSTS=https://a.example;https://b.example\n`,
  },
  {
    name: 'rotate',
    args: ['rotate', '--grace', '1s'],
    keys: [['● This program', 'Enter'], agreed],
  },
  {
    name: 'announce',
    args: ['init', '--media-host', 'media.example.com', '--announce', '--edge', 'none'],
    keys: [agreed],
  },
  { name: 'undo', args: ['undo'], keys: [agreed] },
]

/** Commands with flags of their own; `help` alone is the overview. */
const topics = commands.map(({ name }) => name).filter((name) => !/^(help|version)$/.test(name))

/** Every screen of the story in a terminal so wide, by its name. */
export async function screensOf(columns: number): Promise<ReadonlyMap<string, string>> {
  const world = await openStage({
    emulator: 'eager',
    mastodon: { media: 40, uploadsPerSecond: 0, bootMs: 50, node: process.execPath },
  })
  try {
    const { mastodon } = world.sandbox
    if (!mastodon) throw new Error('The sandbox has no Mastodon.')
    const at: Machine = { ...world.machine(), dir: mastodon.dir }
    const file = join(mastodon.dir, ENV)
    const env = {
      ...world.environment(at),
      PATH: `${mastodon.bin}:${process.env.PATH}`,
      XDG_STATE_HOME: join(at.home, 'state'),
    }
    mkdirSync(env.XDG_STATE_HOME)
    const token = world.sandbox.bootstrapToken.reveal()
    const shown = new Map<string, string>()
    for (const { name, args, keys = [], edit, asksToken } of scenes) {
      const before = readFileSync(file, 'utf8')
      if (edit) writeFileSync(file, edit(before))
      const terminal = openTerminal([...args, ...flags(world.sandbox)], {
        columns,
        cwd: mastodon.dir,
        folder: at.home,
        env: { ...env, ...(asksToken && { CLOUDFLARE_API_TOKEN: '' }) },
      })
      try {
        for (const [words, ...pressed] of keys) {
          await terminal.see(broken(words))
          for (const key of pressed) {
            if (key === 'TOKEN') terminal.type(token)
            else terminal.press(key)
          }
        }
        await terminal.exitCode()
        shown.set(name, tidy(terminal.joined(), mastodon.dir))
        if (edit) writeFileSync(file, before)
      } finally {
        terminal.close()
      }
    }
    for (const args of [['help'], ...topics.map((topic) => ['help', topic])]) {
      const env = { COLUMNS: String(columns) }
      const { stdout } = await exec(process.execPath, [cli, ...args], { env })
      shown.set(args.join('-'), tidy(stdout, mastodon.dir))
    }
    return shown
  } finally {
    await world.close()
  }
}

/** The words, wherever their lines end. */
function broken(words: string): RegExp {
  return new RegExp(literal(words).replaceAll(' ', '[\\s│]+'))
}

/** The screen as it would be on somebody's server, without what is another one in every run. */
function tidy(screen: string, folder: string): string {
  // A question breaks a path wherever it ends.
  const anywhere = (path: string) => new RegExp([...path].map(literal).join('(?:\\n│ {2})?'), 'g')
  const media = '/public/system'
  const lines = screen
    .replace(anywhere(`${folder}${media}`), `/home/mastodon/live${media}`)
    .replace(anywhere(folder), '/home/mastodon/live')
    .replace(/\b[0-9a-f]{32}\b/g, '0'.repeat(32))
    .replace(/\b20\d{6}T\d{6}Z/g, '20260101T000000Z')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, '2026-01-01')
    .replace(/(2026-01-01[\s│]+)[0-9a-f]{6}\b/g, '$1abcdef')
    .replace(/(127\.0\.0\.1:)\d+/g, '$100000')
    .split('\n')
    .map((line) => line.trimEnd())
  return `${lines.join('\n').trimEnd()}\n`
}

function literal(text: string): string {
  return text.replaceAll(/[?.()/*+[\]^$|\\{}]/g, '\\$&')
}
