import { expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { commandLine } from '../../../src/services/process/port.ts'

test.each<[args: string[], env: Record<string, string | Secret>, line: string]>([
  [['copy', '--size-only'], {}, 'rclone copy --size-only'],
  [['a b', "it's", ''], {}, `rclone 'a b' 'it'\\''s' ''`],
  [['$HOME', '*'], {}, "rclone '$HOME' '*'"],
  [['x'], { REGION: 'auto', NAME: 'a b' }, "REGION=auto NAME='a b' rclone x"],
  [['x'], { KEY: new Secret('hush') }, 'KEY="$KEY" rclone x'],
])('%j %j', (args, env, line) => {
  expect(commandLine({ program: 'rclone', args, env })).toBe(line)
})
