import { PassThrough, Writable } from 'node:stream'

const CONTROL = '\u001B['

/** A stream that keeps what was written, with a width as a terminal has. */
export class Screen extends Writable {
  written = ''
  readonly isTTY = true
  readonly columns: number

  constructor(columns = 80) {
    super()
    this.columns = columns
  }

  override _write(chunk: unknown, _: unknown, done: () => void): void {
    this.written += String(chunk)
    done()
  }

  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream
  }

  /** What a person sees in the end: lines drawn over are gone. */
  get lines(): string[] {
    return this.written.split('\n').map((line) => {
      const last = line.split(`\r${CONTROL}2K`).at(-1) ?? ''
      return last.trimEnd()
    })
  }

  get text(): string {
    return this.lines.join('\n')
  }
}

/** A keyboard: what is typed arrives as it would from a terminal in raw mode. */
export class Keyboard extends PassThrough {
  readonly isTTY = true

  setRawMode(): this {
    return this
  }

  get stream(): NodeJS.ReadStream {
    return this as unknown as NodeJS.ReadStream
  }

  /** Each entry once the screen has had time to settle. */
  async type(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await new Promise((resolve) => setImmediate(resolve))
      this.write(key)
    }
  }
}

export const ENTER = '\r'
export const DOWN = `${CONTROL}B`
export const ESCAPE = '\u001B'
export const CTRL_C = '\u0003'

/** Every control sequence of a text, the colours among them as `m`. */
export function controls(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return [...text.matchAll(/\u001B\[[\d;?]*([A-Za-z])/g)].map(([, end = '']) => end)
}
