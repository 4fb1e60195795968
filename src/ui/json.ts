import { plainUi } from './plain.ts'
import type { Ui } from './port.ts'

/** One report on standard output; words go to standard error. */
export function jsonUi(streams: {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  quiet: boolean
}): Ui {
  const { stdout, stderr, quiet } = streams
  return {
    ...plainUi({ words: stderr, stdout, stderr, quiet }),
    finish: (report) => stdout.write(`${JSON.stringify(report, undefined, 2)}\n`),
  }
}
