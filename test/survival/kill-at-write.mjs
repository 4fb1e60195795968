// Loaded into the built program with --import: ends it with SIGKILL at the nth step of writing an
// env file (KILL_AT), as a power cut would. The program itself is unchanged.
import { constants } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const { open, rename } = files
const { O_CREAT } = constants
let left = Number(process.env.KILL_AT)

function step() {
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

files.open = async (path, flags, mode) => {
  const handle = await open(path, flags, mode)
  if (typeof flags !== 'number' || (flags & O_CREAT) === 0 || !isEnvFile(path)) return handle
  step()
  const writeFile = handle.writeFile.bind(handle)
  const sync = handle.sync.bind(handle)
  handle.writeFile = async (bytes) => {
    const half = Math.floor(bytes.length / 2)
    await writeFile(bytes.subarray(0, half))
    step()
    await writeFile(bytes.subarray(half))
    step()
  }
  handle.sync = async () => {
    await sync()
    step()
  }
  return handle
}

files.rename = async (from, to) => {
  if (isEnvFile(to)) step()
  await rename(from, to)
  if (isEnvFile(to)) step()
}

function isEnvFile(path) {
  return String(path).includes('.env.production') && !String(path).includes('.lock')
}

syncBuiltinESMExports()
