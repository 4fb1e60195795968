import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundled } from './bundled.mjs'

/** More show whether it stays so: MASTODON_R2_BENCH_FILES=1000000 makes 3.5 million folders, too. */
const FILES = Number(process.env.MASTODON_R2_BENCH_FILES ?? 20_000)
const ROUNDS = 5
const classes = [
  'accounts/avatars',
  'accounts/headers',
  'media_attachments/files',
  'cache/accounts/avatars',
  'cache/custom_emojis/images',
  'cache/media_attachments/files',
  'cache/preview_cards/images',
]

/** The walk beside `find -printf` on the same tree, by turns; the best of each counts. */
export async function walkFigures() {
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-walk-'))
  try {
    const tree = join(folder, 'system')
    await makeTree(tree)
    const walker = join(await bundled(join(folder, 'built'), 'services/media/tree.ts'))
    const script = join(folder, 'walk.mjs')
    await writeFile(script, program(join(walker, 'services/media/tree.mjs')))
    const times = { find: [], walk: [], process: [] }
    for (let round = 0; round < ROUNDS; round++) {
      const [find] = timed('find', [tree, '-type', 'f', '-printf', '%s %C@ %m %p\\n'])
      const [whole, told] = timed(process.execPath, [script, tree])
      const { files, ms } = JSON.parse(told)
      if (files !== FILES) throw new Error(`The walk found ${files} files of ${FILES}.`)
      times.find.push(find)
      times.process.push(whole)
      times.walk.push(ms)
    }
    const [find, walk, whole] = [times.find, times.walk, times.process].map((all) =>
      Math.min(...all),
    )
    const detail = `find ${ms(find)}, walk ${ms(walk)}, with the start of Node ${ms(whole)}`
    return [
      { name: `walk of ${FILES} files`, value: walk / find, limit: 1.2, unit: '× find', detail },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function program(module) {
  return `import { localTree } from ${JSON.stringify(module)}
const before = performance.now()
let files = 0
for await (const batch of localTree(process.argv[2]).files()) files += batch.length
console.log(JSON.stringify({ files, ms: performance.now() - before }))
`
}

async function makeTree(root) {
  for (let made = 0; made < FILES; made += 2) {
    const id = `11${randomBytes(8).readBigUInt64BE() % 10n ** 16n}`.padEnd(18, '7')
    const folder = join(root, classes[(made / 2) % classes.length], ...id.match(/\d{3}/g))
    for (const style of ['original', 'small']) {
      await mkdir(join(folder, style), { recursive: true })
      await writeFile(join(folder, style, `${randomBytes(8).toString('hex')}.jpg`), 'media')
    }
  }
}

function timed(program, args) {
  const before = performance.now()
  const told = execFileSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 600_000,
  })
  return [performance.now() - before, told]
}

function ms(time) {
  return `${Math.round(time)} ms`
}
