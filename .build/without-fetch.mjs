// The Cloudflare SDK sends with a `fetch` of ours. What else it takes from Node's own, Headers and
// ReadableStream, would load all of that, 20 ms of a start: small Headers stand in their place, and no
// body of ours is a stream.
import { readFile } from 'node:fs/promises'

const SMALL = 'small-headers'

/** What the SDK does with headers. */
const contents = `export class Headers {
  #all = new Map()
  append(name, value) {
    const before = this.get(name)
    this.#all.set(name.toLowerCase(), before === null ? String(value) : before + ', ' + value)
  }
  delete(name) { this.#all.delete(name.toLowerCase()) }
  get(name) { return this.#all.get(name.toLowerCase()) ?? null }
  has(name) { return this.#all.has(name.toLowerCase()) }
  entries() { return this.#all.entries() }
  [Symbol.iterator]() { return this.entries() }
}
`

const small = (text) => `import { Headers } from '${SMALL}'\n${text}`

/** In each file the words that have to be there, and what becomes of it. */
const replaced = [
  [/[\\/]cloudflare[\\/]internal[\\/]headers\.mjs$/, 'new Headers()', small],
  [/[\\/]cloudflare[\\/]internal[\\/]utils[\\/]log\.mjs$/, 'instanceof Headers', small],
  [
    /[\\/]cloudflare[\\/]client\.mjs$/,
    'globalThis.ReadableStream',
    (text) => text.replaceAll('globalThis.ReadableStream', 'undefined'),
  ],
]

/** An esbuild plugin. The build fails when what it replaces is not there any more. */
export function withoutFetch() {
  return {
    name: 'without-fetch',
    setup(build) {
      const met = new Set()
      build.onResolve({ filter: new RegExp(`^${SMALL}$`) }, () => ({
        path: SMALL,
        namespace: SMALL,
      }))
      build.onLoad({ filter: /.*/, namespace: SMALL }, () => ({ contents }))
      for (const [filter, words, change] of replaced) {
        build.onLoad({ filter }, async ({ path }) => {
          const text = await readFile(path, 'utf8')
          if (text.includes(words)) met.add(filter)
          return { contents: change(text), loader: 'js' }
        })
      }
      build.onEnd(() => {
        const missed = replaced.filter(([filter]) => !met.has(filter)).map(([filter]) => filter)
        if (missed.length > 0)
          throw new Error(`The Cloudflare SDK has changed: no file ${missed.join(', ')}`)
      })
    },
  }
}
