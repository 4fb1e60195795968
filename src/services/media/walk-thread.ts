import { parentPort } from 'node:worker_threads'
import { codeOf } from '../../disk-trouble.ts'
import type { MediaFile } from './port.ts'
import { canRead } from './reader.ts'
import { treeFs } from './tree-fs.ts'
import { type ToldOddity, TreeWalk } from './tree-walk.ts'
import { packFiles, type WalkMessage, type WalkTask } from './walk-message.ts'

const BATCH = 1000
/** Milliseconds after which what was found so far is told. */
const LONGEST_SILENCE_MS = 200
/** Batches that may lie unread on the other side. */
const AHEAD = 4

// A thread of its own: it is told a task, then once for each batch that was read.
const parent = parentPort
if (parent === null) throw new Error('This file is the start of a thread.')
let unread = 0
let goOn: (() => void) | undefined
parent.once('message', (task: WalkTask) => {
  parent.on('message', () => {
    unread -= 1
    goOn?.()
  })
  walkThrough(task).catch((error: unknown) => {
    const known = error instanceof Error ? error : new Error(String(error))
    say({ is: 'failed', error: known, code: codeOf(error) })
  })
})
say({ is: 'ready' })

async function walkThrough({ reader, ...task }: WalkTask): Promise<void> {
  let oddities: ToldOddity[] = []
  const walk = new TreeWalk({
    ...task,
    fs: treeFs,
    canRead: canRead(treeFs, reader),
    onOddity: (...oddity) => oddities.push(oddity),
  })
  for (let more = true; more; ) {
    const files: MediaFile[] = []
    more = walk.fill(files, BATCH, performance.now() + LONGEST_SILENCE_MS)
    say({ is: 'found', files: packFiles(files), oddities, more })
    oddities = []
    unread += 1
    if (unread < AHEAD) continue
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
  }
}

function say(message: WalkMessage): void {
  parent?.postMessage(message, message.is === 'found' ? [message.files.numbers.buffer] : [])
}
