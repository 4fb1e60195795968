import { writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { readTemplate } from '../../read-template.ts'
import type { Answer } from '../doorway.ts'
import { instanceAnswer } from './instance.ts'
import { MASTODON_VERSION, makeMastodonFolder } from './mastodon-folder.ts'
import { type MediaTree, makeMediaTree } from './media-tree.ts'
import { openPrograms } from './programs.ts'
import { createService } from './service.ts'
import { systemctl } from './systemctl.ts'
import { tootctl } from './tootctl.ts'
import { createUploads } from './uploads.ts'

export interface MastodonOptions {
  /** How many media files it has. */
  readonly media: number
  /** Of the media; 1 unless told. */
  readonly seed?: number
  /** `social.example.com` unless told. */
  readonly host?: string
  /** New media a second while it runs, half of it by each part; none unless told. */
  readonly uploadsPerSecond?: number
  /** From a start until a service serves, milliseconds; 300 unless told. */
  readonly bootMs?: number
  /** Node's program; the one in PATH unless told. */
  readonly node?: string
}

/** A Mastodon that runs on this machine, as far as its media is concerned. */
export interface Mastodon {
  /** For --mastodon-dir. */
  readonly dir: string
  /** To be put in front of PATH: systemctl, tootctl, sudo. */
  readonly bin: string
  /** One line of JSON for each call of these; see NotedCall. */
  readonly calls: string
  /** One line of JSON for each file that it stored; see Upload. */
  readonly uploads: string
  readonly host: string
  readonly tree: MediaTree
  /** What its web address answers. */
  answer(message: IncomingMessage): Promise<Answer>
  /** Its processes end. */
  close(): Promise<void>
}

/** `dir`: an empty folder; `reach`: where an S3_ENDPOINT is found on this machine. */
export async function startMastodon(
  dir: string,
  reach: (endpoint: string) => string,
  options: MastodonOptions,
): Promise<Mastodon> {
  const { media, seed = 1, host = 'social.example.com', uploadsPerSecond = 0 } = options
  const { bootMs = 300, node = 'node' } = options
  const [live, bin, calls, uploadLog] = ['live', 'bin', 'calls.jsonl', 'uploads.jsonl'].map(
    (name) => join(dir, name),
  ) as [string, string, string, string]
  await makeMastodonFolder(live, host)
  const tree = await makeMediaTree(join(live, 'public/system'), { files: media, seed })
  const programs = await openPrograms({ dir: join(dir, 'programs'), node, log: calls })
  const uploads = createUploads({ live, log: uploadLog, reach })
  const script = join(dir, 'programs/service.mjs')
  await writeFile(script, await readTemplate('sandbox-service.mjs'))
  const everyMs = uploadsPerSecond === 0 ? 0 : Math.round(2000 / uploadsPerSecond)
  const own = { node, script, live, bootMs, everyMs, uploads }
  const [web, sidekiq] = [
    createService({ ...own, role: 'web' }),
    createService({ ...own, role: 'sidekiq' }),
  ]
  const close = async () => {
    await Promise.all([web.stop(), sidekiq.stop()])
    await programs.close()
  }
  try {
    const units = new Map([
      ['mastodon-web', web],
      ['mastodon-sidekiq', sidekiq],
    ])
    await programs.install(bin, 'systemctl', systemctl(units))
    await programs.install(bin, 'tootctl', tootctl(live))
    await programs.install(join(live, 'bin'), 'tootctl', tootctl(live))
    await writeFile(join(bin, 'sudo'), await readTemplate('sandbox-sudo.sh'), { mode: 0o755 })
    await Promise.all([web.start(), sidekiq.start()])
  } catch (error) {
    await close()
    throw error
  }
  const settings = () => web.settings()
  const answer = instanceAnswer({ host, version: MASTODON_VERSION, live, settings })
  return { dir: live, bin, calls, uploads: uploadLog, host, tree, answer, close }
}
