import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isRequired } from '../requirement.ts'

export interface NodeRelease {
  /** Path of the program; undefined when it could not be had, and need not be. */
  readonly path: string | undefined
  readonly why: string
}

/**
 * Another release of Node, from the npm package that carries it. `range` is a version range such
 * as `22` or `20.19.0`. Throws when it can't be had although its major version is required.
 */
export async function findNode(range: string): Promise<NodeRelease> {
  const name = `node-linux-${process.arch}@${range}`
  try {
    const { stdout } = await promisify(execFile)(
      'npm',
      ['exec', '--yes', `--package=${name}`, '--', 'node', '-p', 'process.execPath'],
      { timeout: 240_000 },
    )
    const path = stdout.trim().split('\n').at(-1) ?? ''
    const { stdout: version } = await promisify(execFile)(path, ['--version'])
    if (!`${version.trim()}.`.startsWith(`v${range}.`)) throw new Error(`${path} is ${version}`)
    return { path, why: '' }
  } catch (cause) {
    const why = `Node ${range} could not be had from npm (${name})`
    if (isRequired(`node${range.split('.')[0]}`)) throw new Error(why, { cause })
    return { path: undefined, why }
  }
}
