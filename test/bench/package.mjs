import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What npm would send and unpack. */
export function packageFigures() {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json']
  const [{ size, unpackedSize }] = JSON.parse(execFileSync('npm', args, { cwd: root }))
  const { dependencies = {} } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  return [
    { name: 'package, packed', value: size / 1000, limit: 700, unit: 'KB' },
    { name: 'package, unpacked', value: unpackedSize / 1000, limit: 2500, unit: 'KB' },
    { name: 'dependencies', value: Object.keys(dependencies).length, limit: 0, unit: '' },
  ]
}
