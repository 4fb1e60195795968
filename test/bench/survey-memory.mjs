import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundled } from './bundled.mjs'
import { heapFlags } from './heap-flags.mjs'

const [FEW, MANY] = [100_000, 1_000_000]

/** The survey of generated trees in processes of their own: id partitions, and one flat folder. */
export async function surveyMemoryFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-memory-'))
  try {
    const sources = ['services/media/tree.ts', 'migrate/survey/survey.ts']
    const built = await bundled(join(folder, 'built'), ...sources)
    const script = join(folder, 'survey.mjs')
    await writeFile(script, program(...sources.map((path) => join(built, path))))
    const run = (shape, files) => {
      const args = [script, shape, String(files)]
      const told = JSON.parse(execFileSync(process.execPath, args, { timeout: 300_000 }))
      if (told.files !== files) throw new Error(`The survey found ${told.files} of ${files} files.`)
      return told
    }
    const [few, many, flat] = [run('ids', FEW), run('ids', MANY), run('flat', MANY)]
    const detail = `${few.mb} MB at ${FEW}, ${flat.mb} MB in one flat folder, ${many.seconds} s`
    return [
      { name: `survey of ${MANY} files, memory`, value: many.mb, limit: 150, unit: 'MB', detail },
      { name: 'the same, more than at 100,000', value: many.mb - few.mb, limit: 25, unit: 'MB' },
      { name: `survey of one folder of ${MANY}`, value: flat.mb, limit: 150, unit: 'MB' },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function program(...built) {
  const [localTree, surveyMedia] = built.map((path) => {
    return JSON.stringify(path.replace(/\.ts$/, '.mjs'))
  })
  return `import { localTree } from ${localTree}
import { surveyMedia } from ${surveyMedia}
${heapFlags}
const [shape, count] = [process.argv[2], Number(process.argv[3])]
const kind = (is) => ({ isFile: () => is === 'file', isDirectory: () => is === 'folder', isSymbolicLink: () => false })
const range = (n) => Array.from({ length: n }, (_, at) => String(at).padStart(3, '0'))
const hex = (at) => ((at * 2654435761) % 4294967296).toString(16).padStart(16, '0') + '.jpg'
const levels = [['media_attachments'], ['files'], range(count / 10000), range(100), range(100), ['original']]
const depth = (path) => path.split('/').length - 2
function* names(path) {
  if (shape === 'flat') for (let at = 0; at < count; at++) yield hex(at)
  else yield* levels[depth(path)] ?? ['0123456789abcdef.jpg']
}
function* found(path) {
  const is = shape === 'flat' || depth(path) >= levels.length ? 'file' : 'folder'
  for (const name of names(path)) yield { name, ...kind(is) }
}
const stat = (path) => ({ size: shape === 'flat' ? 4e7 : 4096, mode: 0o644, ctimeMs: 1, uid: 0, gid: 0, ...kind('file') })
const fs = { list: (path) => [...found(path)], stream: found, lstat: stat, stat, realpath: (path) => path, owner: () => 0, canRead: () => true }

let files = 0
const step = surveyMedia(
  {
    source: localTree('/m', { fs }),
    selection: { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false },
    rclone: { canCarry: () => true },
    wishes: { transfers: 64, bwlimit: undefined },
    signal: new AbortController().signal,
    width: 80,
    bucket: () => ({ headBucket: async () => undefined }),
    tell: () => undefined,
  },
  { surveyed: (survey) => { files = survey.total.objects } },
)
const clock = { now: () => new Date(), sleep: () => new Promise(() => undefined) }
await step.look({ clock })
const mb = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(JSON.stringify({ files, mb, seconds: Math.round(performance.now() / 100) / 10 }))
`
}
