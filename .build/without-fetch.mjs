// The Cloudflare SDK sends with a `fetch` of ours. What else it takes from Node's own would load all of
// that, 20 ms of a start: small Headers stand in their place, and every body of ours is JSON.
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

const imported = `import { Headers } from '${SMALL}'\n`

/** Of each file what goes ahead of it, and the words in it that become others. */
const replaced = [
  [
    /[\\/]cloudflare[\\/]internal[\\/]headers\.mjs$/,
    imported,
    [['new Headers()', 'new Headers()']],
  ],
  [
    /[\\/]cloudflare[\\/]internal[\\/]utils[\\/]log\.mjs$/,
    imported,
    [['instanceof Headers', 'instanceof Headers']],
  ],
  [
    /[\\/]cloudflare[\\/]client\.mjs$/,
    '',
    [
      ['globalThis.ReadableStream', 'undefined'],
      ['globalThis.Blob', 'undefined'],
      ['body instanceof FormData', 'false'],
    ],
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
      for (const [filter, ahead, words] of replaced) {
        build.onLoad({ filter }, async ({ path }) => {
          const text = await readFile(path, 'utf8')
          if (words.every(([word]) => text.includes(word))) met.add(filter)
          const changed = words.reduce((all, [word, other]) => all.replaceAll(word, other), text)
          return { contents: ahead + changed, loader: 'js' }
        })
      }
      build.onEnd(() => {
        const missed = replaced.filter(([filter]) => !met.has(filter)).map(([filter]) => filter)
        if (missed.length > 0)
          throw new Error(`The Cloudflare SDK has changed: ${missed.join(', ')}`)
      })
    },
  }
}
