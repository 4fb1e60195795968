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
  #cover: string | undefined
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
    this.#rest()
  }

  #rest(): void {
    if (this.#items.size > 0 || this.#cover !== undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.hide()
  }

  /** Shown instead of all items until undefined is given; it tells its time itself. */
  cover(text: string | undefined): void {
    this.#cover = text
    if (text !== undefined) {
      this.#timer ??= setInterval(() => this.#draw(), 120)
      this.#draw()
    } else this.#rest()
  }

  clear(): void {
    this.#cover = undefined
    this.#items.clear()
    this.#rest()
  }

  /** Makes room for lines that stay. The next frame draws the status again below them. */
  hide(): void {
    this.#output.write('\r\u001B[2K')
  }

  #draw(): void {
    const columns = Math.max((this.#output.columns || 80) - 6, 8)
    const parts = [...this.#items.values()].reverse().map(({ text, since }) => {
      const seconds = Math.round((Date.now() - since) / 1000)
      return { text, time: seconds < 2 ? '' : `, ${seconds} s` }
    })
    const shown = this.#cover === undefined ? joined(parts, columns) : cut(this.#cover, columns)
    this.#frame = (this.#frame + 1) % this.#frames.length
    this.#output.write(`\r\u001B[2K${this.#bar}  ${this.#frames[this.#frame]} ${shown}`)
  }
}

interface Part {
  readonly text: string
  /** How long it takes by now: it is seen, however little room there is. */
  readonly time: string
}

function joined(parts: readonly Part[], columns: number): string {
  const [first, ...rest] = parts
  if (!first) return ''
  const line = `${cut(first.text, columns - first.time.length)}${first.time}`
  return cut([line, ...rest.map(({ text, time }) => `${text}${time}`)].join(', '), columns)
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, Math.max(columns - 3, 0))}...` : text
}
