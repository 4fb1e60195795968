import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(root, 'dist/cli.js')
const lock = join(tmpdir(), `mastodon-r2-build-${root.replaceAll(/[^A-Za-z0-9]+/g, '-')}`)

/**
 * dist/cli.js, built first when src/ or templates/ are newer. Test files may ask side by side.
 * MASTODON_R2_TEST_PROGRAM: another program to try, such as the single executable.
 */
export async function builtProgram(): Promise<string> {
  const other = process.env.MASTODON_R2_TEST_PROGRAM ?? ''
  if (other !== '') return resolve(root, other)
  const end = Date.now() + 80_000
  while (Date.now() < end) {
    if (await isLocked()) await sleep(100)
    else if (await isFresh()) return cli
    else await build()
  }
  throw new Error(`The build does not end. If nobody builds, remove ${lock}`)
}

async function isFresh(): Promise<boolean> {
  const built = await modified(cli)
  const sources = await Promise.all(['src', 'templates', '.build'].map(newestBelow))
  return built >= Math.max(...sources)
}

async function build(): Promise<void> {
  try {
    await mkdir(lock)
  } catch {
    return
  }
  try {
    await exec(process.execPath, ['.build/bundle.mjs'], { cwd: root, timeout: 60_000 })
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function isLocked(): Promise<boolean> {
  const since = await modified(lock)
  return since > 0 && Date.now() - since < 70_000
}

async function newestBelow(folder: string): Promise<number> {
  const names = await readdir(join(root, folder), { recursive: true })
  const times = await Promise.all(names.map((name) => modified(join(root, folder, name))))
  return Math.max(0, ...times)
}

/** Milliseconds since the epoch; 0 when there is no such file. */
function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
