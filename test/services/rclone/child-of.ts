import { readdirSync, readFileSync } from 'node:fs'

/** Process whose arguments hold this text; undefined when there is none. */
export function childOf(text: string): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      if (words[0] === 'rclone' && words.includes(text)) return Number(name)
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined
}
