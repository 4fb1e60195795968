const FRAMES = ['◒', '◐', '◓', '◑']
const ASCII_FRAMES = ['-', '\\', '|', '/']

/**
 * The last line of the screen while something is waited for. clack's spinner is not used: it ends
 * the process on Ctrl-C by itself, before a half-made key could be removed.
 */
export class StatusLine {
  readonly #output: NodeJS.WriteStream
  readonly #frames: readonly string[]
  readonly #bar: string
  readonly #items = new Map<string, { text: string; since: number }>()
  #timer: NodeJS.Timeout | undefined
  #frame = 0

  constructor(output: NodeJS.WriteStream, unicode: boolean) {
    this.#output = output
    this.#frames = unicode ? FRAMES : ASCII_FRAMES
    this.#bar = unicode ? '│' : '|'
  }

  set(id: string, text: string): void {
    const since = this.#items.get(id)?.since ?? Date.now()
    this.#items.set(id, { text, since })
    this.#timer ??= setInterval(() => this.#draw(), 120)
    this.#draw()
  }

  remove(id: string): void {
    this.#items.delete(id)
    if (this.#items.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.hide()
  }

  clear(): void {
    for (const id of [...this.#items.keys()]) this.remove(id)
  }

  /** Makes room for lines that stay. The next frame draws the status again below them. */
  hide(): void {
    this.#output.write('\r\u001B[2K')
  }

  #draw(): void {
    const columns = Math.max((this.#output.columns ?? 80) - 6, 8)
    const parts = [...this.#items.values()].reverse().map(({ text, since }) => {
      const seconds = Math.round((Date.now() - since) / 1000)
      return seconds < 2 ? text : `${text}, ${seconds} s`
    })
    const text = parts.join(', ')
    const shown = text.length > columns ? `${text.slice(0, columns - 3)}...` : text
    this.#frame = (this.#frame + 1) % this.#frames.length
    this.#output.write(`\r\u001B[2K${this.#bar}  ${this.#frames[this.#frame]} ${shown}`)
  }
}
