import type { Host } from '../host.ts'
import type { Ui } from '../ui/port.ts'

export interface VoiceOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly colour: boolean
  /** Standard output is kept for what is printed there. */
  readonly print: boolean
}

/** clack when a person sits at a terminal, JSON when asked for, plain lines otherwise. */
export async function chooseVoice(host: Host, options: VoiceOptions): Promise<Ui> {
  const { stdin, stdout, stderr, hasPerson } = host
  const { json, quiet, colour, print } = options
  if (json) return (await import('../ui/json.ts')).jsonUi({ stdout, stderr, quiet })
  if (hasPerson && !print) {
    const { clackUi } = await import('../ui/clack.ts')
    const { speaksUtf8 } = await import('../ui/ascii.ts')
    const { interrupted } = host
    const unicode = speaksUtf8(host.environment)
    return clackUi({ stdin, stdout, stderr, colour, quiet, unicode, interrupted })
  }
  const words = print ? stderr : stdout
  return (await import('../ui/plain.ts')).plainUi({ words, stdout, stderr, quiet })
}
