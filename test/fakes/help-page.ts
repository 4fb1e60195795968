import { commands, overview } from '../../src/commands.ts'
import { helpOn } from '../../src/help.ts'
import type { Host } from '../../src/host.ts'

export const HOMEPAGE = 'https://git.example/mastodon-r2'

/** What `help TOPIC` prints into a pipe that is told to be so wide. */
export async function helpPage(topic: string, width = 80): Promise<string> {
  let text = ''
  const stdout = { write: (part: string) => (text += part) }
  const environment = { COLUMNS: String(width) }
  const host = {
    ...{ stdout, stderr: stdout, environment, version: '0.0.0', homepage: HOMEPAGE },
    program: ['npx', 'mastodon-r2'],
  }
  const code = await helpOn(commands, overview).run(host as unknown as Host, [topic])
  if (code !== 0) throw new Error(`help ${topic} ended with ${code}: ${text}`)
  return text
}
