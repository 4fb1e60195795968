import { plainUi } from './plain.ts'
import type { Render, Ui } from './port.ts'

/** One report on standard output; words go to standard error. */
export function jsonUi(streams: {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  quiet: boolean
  render?: Render
}): Ui {
  const { stdout, stderr } = streams
  return {
    ...plainUi({ ...streams, words: stderr }),
    finish: (report) => stdout.write(`${JSON.stringify(report, undefined, 2)}\n`),
  }
}
