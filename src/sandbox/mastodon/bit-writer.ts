/** Bits put one after the other into bytes; `first` tells which end of a byte is filled first. */
export class BitWriter {
  readonly #bytes: number[] = []
  readonly #first: 'low' | 'high'
  #pending = 0
  #count = 0

  constructor(first: 'low' | 'high') {
    this.#first = first
  }

  /** At most 16 bits of a value; in its own bit order when `high`, lowest bit first when `low`. */
  write(value: number, bits: number): this {
    for (let at = 0; at < bits; at++) {
      const bit = (value >>> (this.#first === 'low' ? at : bits - 1 - at)) & 1
      this.#pending |= bit << (this.#first === 'low' ? this.#count : 7 - this.#count)
      if (++this.#count < 8) continue
      this.#bytes.push(this.#pending)
      this.#pending = 0
      this.#count = 0
    }
    return this
  }

  /** All that was written; what is missing from the last byte is `fill`. */
  bytes(fill: 0 | 1 = 0): Buffer {
    while (this.#count > 0) this.write(fill, 1)
    return Buffer.from(this.#bytes)
  }
}
