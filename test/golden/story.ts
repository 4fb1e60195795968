import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  /** KEY stands for the media host's address of an attachment that has two sizes. */
  readonly args: readonly string[]
  /** `then` in the words: what follows it is seen below what stands before it. */
  readonly keys?: readonly (readonly [words: string, ...keys: string[]])[]
  /** What the env file holds for this one alone. */
  readonly edit?: (text: string) => string
  readonly asksToken?: true
  /** The flags that lead to the sandbox of the story; `alone`: it brings its own. */
  readonly leads?: 'alone' | 'without a web'
  /** Folders of media that the disk has lost. */
  readonly loses?: readonly string[]
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
  { name: 'usage', args: ['usage'], leads: 'without a web' },
  { name: 'purge', args: ['purge', 'KEY'], keys: [agreed] },
  { name: 'purge-delete', args: ['purge', 'KEY', '--and-delete'], keys: [agreed] },
  { name: 'leave-survey', args: ['leave'], loses: ['accounts', 'site_uploads', 'custom_emojis'] },
  { name: 'leave-copy', args: ['leave', '--stage', 'copy'], keys: [agreed] },
  { name: 'redirects-remove', args: ['redirects', '--remove'], keys: [agreed] },
  {
    name: 'leave-cutover',
    args: ['leave', '--stage', 'cutover'],
    keys: [agreed],
    edit: (text) => text,
  },
  { name: 'undo', args: ['undo'], keys: [agreed] },
  { name: 'undo-sandbox', args: ['undo', '--sandbox'], leads: 'alone', keys: [agreed] },
  {
    name: 'init-sandbox',
    args: ['init', '--sandbox', '--existing-media', 'switch', '--edge', 'none'],
    leads: 'alone',
    keys: [
      ['● files.example.com', 'Enter'],
      agreed,
      ['● check', 'Enter'],
      ['mastodon-r2 check then ● undo then confirm', 'Enter'],
      ['mastodon-r2 undo then Carry this out?', 'y'],
      ['Taken back then ● undo all then confirm', 'Down', 'Enter'],
    ],
  },
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
    const key = sizedKey(join(mastodon.dir, 'public/system'))
    for (const { name, args, keys = [], edit, asksToken, leads, loses = [] } of scenes) {
      for (const folder of loses) {
        rmSync(join(mastodon.dir, 'public/system', folder), { recursive: true, force: true })
      }
      const before = readFileSync(file, 'utf8')
      if (edit) writeFileSync(file, edit(before))
      const words = args.map((word) => word.replace('KEY', `https://files.example.com/${key}`))
      const way = leads === 'alone' ? [] : flags(world.sandbox)
      const terminal = openTerminal([...words, ...(leads ? way.slice(0, 2) : way)], {
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
        shown.set(name, tidy(terminal.joined(), mastodon.dir, at.tmp))
        if (edit) writeFileSync(file, before)
      } finally {
        terminal.close()
      }
    }
    for (const args of [['help'], ...topics.map((topic) => ['help', topic])]) {
      const env = { COLUMNS: String(columns) }
      const { stdout } = await exec(process.execPath, [cli, ...args], { env })
      shown.set(args.join('-'), tidy(stdout, mastodon.dir, at.tmp))
    }
    return shown
  } finally {
    await world.close()
  }
}

/** Of the first attachment that has a smaller size beside it. */
function sizedKey(media: string): string {
  const found = readdirSync(join(media, 'media_attachments'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/small\/./.test(path))
    .sort()[0]
  if (found === undefined) throw new Error('No attachment has two sizes.')
  return `media_attachments/${found}`
}

/** The words, wherever their lines end. */
function broken(words: string): RegExp {
  return new RegExp(
    literal(words)
      .split(' then ')
      .map((part) => part.replaceAll(' ', '[\\s│]+'))
      .join('[\\s\\S]*'),
  )
}

/** The screen as it would be on somebody's server, without what is another one in every run. */
function tidy(screen: string, folder: string, tmp: string): string {
  // A question breaks a path wherever it ends.
  const anywhere = (path: string) => new RegExp([...path].map(literal).join('(?:\\n│ {2})?'), 'g')
  const media = '/public/system'
  const lines = screen
    .replace(anywhere(`${folder}${media}`), `/home/mastodon/live${media}`)
    .replace(anywhere(folder), '/home/mastodon/live')
    .replace(anywhere(tmp), '/tmp')
    .replace(/\b[0-9a-f]{32}\b/g, '0'.repeat(32))
    .replace(/\b20\d{6}T\d{6}Z/g, '20260101T000000Z')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, '2026-01-01')
    .replace(/(2026-01-01[\s│]+)[0-9a-f]{6}\b/g, '$1abcdef')
    .replace(/(127\.0\.0\.1:)\d+/g, '$100000')
    .replace(/(mastodon-r2-rehearsal-)\w{6}/g, '$1abcdef')
    .split('\n')
    .map((line) => line.trimEnd())
  return `${lines.join('\n').trimEnd()}\n`
}

function literal(text: string): string {
  return text.replaceAll(/[?.()/*+[\]^$|\\{}]/g, '\\$&')
}
