import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { commands } from '../../src/commands.ts'
import * as s3 from '../../src/services/s3/client.ts'
import { fakeHost } from '../fakes/fake-host.ts'
import { smallParts } from '../survival/small-parts.ts'
import { type Ended, type RunOptions, refuseWrongLines } from './program.ts'

/**
 * The authorities that the runs under way trust, PEM: Node reads NODE_EXTRA_CA_CERTS when a process
 * starts. That runs side by side trust each other's is the price: with an AsyncLocalStorage every
 * promise of the worker costs more, until it ends.
 */
const trusted: (string | undefined)[] = []
const { createSecureContext } = tls
tls.createSecureContext = (options) => {
  const ca = trusted.filter((one) => one !== undefined)
  return createSecureContext({ ...(ca.length > 0 && { ca: [...new Set(ca)] }), ...options })
}

/** A run here uploads its test file of 5 MiB in a few bytes: that was most of its time. */
const { connectS3 } = s3
Object.defineProperty(s3, 'connectS3', {
  value: (options: s3.S3Options) =>
    trusted.length > 0 ? smallParts(connectS3(options)) : connectS3(options),
})

/**
 * The command that these words name, run inside this process: the same settings, steps and words as
 * the built program's, in a fifth of the time. Signals, users and streams are matters of the program
 * itself, and so is the upload in parts, whose two parts are one small object here.
 */
export async function runHere(
  [name = '', ...argv]: readonly string[],
  { cwd, env, input }: Pick<RunOptions, 'cwd' | 'env' | 'input'>,
): Promise<Ended> {
  const command = commands.find((one) => one.name === name)
  if (!command) throw new Error(`There is no command ${name}.`)
  const [out, err]: [string[], string[]] = [[], []]
  const host = fakeHost({
    argv: [name, ...argv],
    environment: { PATH: process.env.PATH, ...env },
    cwd,
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    ...(input === undefined ? {} : { input }),
  })
  const authority = env.NODE_EXTRA_CA_CERTS
  const ca = authority === undefined ? undefined : readFileSync(authority, 'utf8')
  const { run } = await command.load()
  trusted.push(ca)
  const code = await run(host, argv).finally(() => trusted.splice(trusted.indexOf(ca), 1))
  const ended = { code, signal: null, stdout: out.join(''), stderr: err.join('') }
  await refuseWrongLines(ended, [name, ...argv])
  return ended
}
