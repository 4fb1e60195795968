// Loaded in front of the program: notes every AWS_* variable that is read, every path with /.aws/,
// every address that is connected to, and at the end whether Node's own fetch was loaded, one JSON line
// each, in the file that WATCH_FILE names.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const file = process.env.WATCH_FILE
const append = fs.appendFileSync
const note = (kind, value) => append(file, `${JSON.stringify([kind, value])}\n`)

// A copy of the whole environment asks for no variable in particular.
let copying = false
process.env = new Proxy(process.env, {
  ownKeys(target) {
    copying = true
    queueMicrotask(() => {
      copying = false
    })
    return Reflect.ownKeys(target)
  },
  get(target, name) {
    if (typeof name === 'string' && name.startsWith('AWS_') && !copying) note('variable', name)
    return target[name]
  },
})

const watched = (name, original) =>
  function watch(path, ...rest) {
    if (String(path).includes('/.aws/')) note('file', `${name} ${path}`)
    return original.call(this, path, ...rest)
  }
for (const name of ['readFile', 'readFileSync', 'open', 'openSync', 'stat', 'statSync'])
  fs[name] = watched(name, fs[name])
for (const name of ['readFile', 'open', 'stat'])
  fs.promises[name] = watched(name, fs.promises[name])

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function watch(...args) {
  const [first] = args.flat()
  note('address', first?.host ?? first?.path ?? String(first))
  return connect.apply(this, args)
}
syncBuiltinESMExports()

process.on('exit', () => {
  for (const name of process.moduleLoadList)
    if (name.endsWith('/undici/undici')) note('fetch', name)
})
