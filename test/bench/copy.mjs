import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  byHand,
  counted,
  fill,
  keys,
  migrate,
  noteAsCopied,
  noteMore,
  server,
  startSandbox,
  timed,
} from './copy-world.mjs'

const [FIRST, MANY, NEW, NOTED] = [2_000, 20_000, 200, 1_000_000]
const ROUNDS = 7

/** A copy beside rclone driven by hand, and what a later one costs. */
export async function copyFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-bench-'))
  const sandbox = await startSandbox()
  try {
    return [...(await firstCopy(sandbox, folder)), ...(await laterCopy(sandbox, folder))]
  } finally {
    sandbox.child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

async function firstCopy(sandbox, folder) {
  const all = keys(0, FIRST)
  const rounds = []
  let [requests, none] = [0, 0]
  for (let round = 1; round <= ROUNDS; round += 1) {
    const hand = await server(sandbox, folder, `hand-${round}`)
    const ours = await server(sandbox, folder, `ours-${round}`, all)
    const one = { took: 0, byRclone: 0 }
    const turns = [
      async () => {
        one.byRclone = await byHand(hand, join(ours.live, 'public/system'), all)
      },
      async () => {
        requests = await counted(sandbox, async () => {
          one.took = await migrate(ours)
        })
      },
    ]
    // The emulator grows slower with what it holds: neither is always the second.
    for (const turn of round % 2 ? turns : turns.reverse()) await turn()
    rounds.push({ ...one, ratio: one.took / one.byRclone })
    none = await counted(sandbox, () => migrate(ours))
  }
  const { took, ratio, byRclone } = middle(rounds)
  const plain = await server(sandbox, folder, 'defaults', all)
  const defaults = await byHand(plain, join(plain.live, 'public/system'), all, [])
  const detail = `${seconds(took)}, by hand ${seconds(byRclone)}`
  const allowed = FIRST + FIRST / 1000 + 10
  return [
    figure(`first copy of ${FIRST} files`, ratio, 1.15, '× rclone by hand', detail),
    figure('the same', took / defaults, 0.1, "× rclone's defaults", seconds(defaults)),
    figure('the same, requests', requests.length, allowed),
    figure('nothing new, requests', none.length, 0),
  ]
}

/** Not one of the many is uploaded: the notes say that they are there, and nobody asks the bucket. */
async function laterCopy(sandbox, folder) {
  const ours = await server(sandbox, folder, 'later', keys(0, 1))
  const hand = await server(sandbox, folder, 'later-hand')
  await migrate(ours)
  const root = join(ours.live, 'public/system')
  await fill(root, keys(1, MANY))
  await noteAsCopied(ours, root, keys(0, MANY))
  const stamp = join(folder, 'stamp')
  const rounds = []
  let requests = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const none = await migrate(ours)
    await writeFile(stamp, '')
    const fresh = keys(MANY + round * NEW, MANY + (round + 1) * NEW)
    await fill(root, fresh)
    const find = await timed('find', [root, '-type', 'f', '-cnewer', stamp, '-printf', '%P\\n'])
    const upload = await byHand(hand, root, fresh)
    let took = 0
    requests = await counted(sandbox, async () => {
      took = await migrate(ours)
    })
    rounds.push({ took, find, upload, none, ratio: took / (find + upload) })
  }
  const { took, find, upload, none, ratio } = middle(rounds)
  const memory = await peakOfMigrate(ours, folder)
  const lists = requests.filter(({ method }) => method === 'GET')
  const detail = `${seconds(took)}; find ${seconds(find)}, upload ${seconds(upload)}; nothing new ${seconds(none)}`
  return [
    figure(`${NEW} new in ${MANY}`, ratio, 1.2, '× find and upload', detail),
    figure('the same, requests', requests.length, NEW + 10),
    figure('the same, lists', lists.length, 0),
    figure(`the same, with ${NOTED} noted versions, memory`, memory, 150, 'MB'),
  ]
}

/** Megabytes at most, with notes of many files that are gone by now. */
async function peakOfMigrate(ours, folder) {
  await noteMore(
    ours,
    keys(MANY * 2, NOTED).map((key) => [key, 0]),
  )
  const [script, told] = [join(folder, 'peak.mjs'), join(folder, 'peak')]
  await writeFile(script, peakTeller(told))
  await migrate({ ...ours, env: { ...ours.env, NODE_OPTIONS: `--import=${script}` } })
  return Number(await readFile(told, 'utf8')) / 1024
}

function peakTeller(path) {
  return `import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
const tell = () => writeFileSync(${JSON.stringify(path)}, String(process.resourceUsage().maxRSS))
if (isMainThread) process.on('exit', tell)
`
}

/** The round in the middle: what is compared was measured in the same seconds of a busy machine. */
function middle(rounds) {
  return rounds.toSorted((a, b) => a.ratio - b.ratio)[(rounds.length - 1) / 2]
}

function figure(name, value, limit, unit = '', detail = undefined) {
  return { name, value, limit, unit, detail }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
