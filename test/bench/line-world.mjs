import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { flags, timed } from './copy-world.mjs'

export const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const VERSION = 'def major\n  4\nend\ndef minor\n  6\nend\n'
const ID = 'a'.repeat(32)

/** A Mastodon without media, in a folder of its own; `work` is told of the folder and of its media. */
export async function inWorld(work) {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-line-'))
  try {
    const live = join(folder, 'live')
    await mkdir(join(live, 'lib/mastodon'), { recursive: true })
    await writeFile(join(live, 'lib/mastodon/version.rb'), VERSION)
    return await work(folder, join(live, 'public/system'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function onBucket(wishes, work) {
  const script = fileURLToPath(new URL('./slow-bucket.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, ...wishes.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const { value: url } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
    const took = await work(url)
    return { took, told: await (await fetch(`${url}/told`)).json() }
  } finally {
    child.kill('SIGTERM')
  }
}

export function byHand(folder, url, all, number) {
  const env = {
    PATH: process.env.PATH,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_R2_TYPE: 's3',
    RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare',
    RCLONE_CONFIG_R2_ENDPOINT: url,
    RCLONE_CONFIG_R2_REGION: 'auto',
    RCLONE_CONFIG_R2_ACCESS_KEY_ID: ID,
    RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: ID + ID,
  }
  const wishes = flags.with(flags.indexOf('--transfers') + 1, String(number))
  const args = ['copy', join(folder, 'live/public/system'), 'R2:media', ...wishes]
  return timed('rclone', args, { env, input: `${all.join('\n')}\n` })
}

/** A copy to the setup that the env file holds; the first one, with notes of its own, unless `home` has some. */
export async function migrate(program, folder, url, work = timed, home = undefined) {
  const live = join(folder, 'live')
  const block = [
    'LOCAL_DOMAIN=social.example.com',
    'S3_ENABLED=false',
    'S3_BUCKET=media',
    'S3_REGION=auto',
    `S3_ENDPOINT=${url}`,
    'S3_PROTOCOL=https',
    'S3_PERMISSION=',
    'S3_ALIAS_HOST=files.example.com',
    `AWS_ACCESS_KEY_ID=${ID}`,
    `AWS_SECRET_ACCESS_KEY=${ID}${ID}`,
  ]
  await writeFile(join(live, '.env.production'), `${block.join('\n')}\n`)
  const env = { PATH: process.env.PATH, HOME: home ?? (await mkdtemp(join(folder, 'home-'))) }
  const args = ['migrate', '--stage', 'copy', '--yes', '--s3-endpoint-url', url]
  return work(program, args, { cwd: live, env })
}

export function row(name, value, limit, unit, detail) {
  return { name, value, limit, unit, detail }
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
