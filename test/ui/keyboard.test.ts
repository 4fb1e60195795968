import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { keyboard } from '../../src/ui/clack.ts'

class Terminal extends PassThrough {
  readonly modes: boolean[] = []

  setRawMode(on: boolean): this {
    if (this.readableEnded) this.emit('error', new Error('setRawMode EIO'))
    this.modes.push(on)
    return this
  }
}

test('raw mode is left alone once the terminal is gone', async () => {
  const terminal = new Terminal()
  const keys = keyboard(terminal as unknown as NodeJS.ReadStream)
  keys.setRawMode(true)
  const ended = new Promise((resolve) => keys.once('end', resolve))
  terminal.end('x')
  keys.resume()
  await ended
  expect(() => keys.setRawMode(false)).not.toThrow()
  expect(terminal.modes).toEqual([true])
})
