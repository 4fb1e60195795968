// Makes one file of the program and Node, for hosts without Node: sea/mastodon-r2-linux-x64 and -arm64
// (nodejs.org/api/single-executable-applications.html). `npm run build:sea [x64|arm64 ...]`.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { inject } from 'postject'
import { withoutAwsSurroundings } from './without-aws-surroundings.mjs'
import { withoutFetch } from './without-fetch.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'sea')

/** Node as npm's registry has it, held by its hash. */
const NODE = '24.22.3'
const runtimes = {
  x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  arm64:
    'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
}
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const wanted = process.argv.slice(2)
const scratch = await mkdtemp(join(tmpdir(), 'mastodon-r2-sea-'))
try {
  await mkdir(target, { recursive: true })
  const blob = await blobOf(await bundle())
  for (const cpu of wanted.length > 0 ? wanted : Object.keys(runtimes)) {
    const file = join(target, `mastodon-r2-linux-${cpu}`)
    const fresh = `${file}.new`
    await writeFile(fresh, await readFile(await runtime(cpu)))
    await inject(fresh, 'NODE_SEA_BLOB', blob, { sentinelFuse: FUSE })
    await chmod(fresh, 0o755)
    await rename(fresh, file)
  }
} finally {
  await rm(scratch, { recursive: true, force: true })
}

/** All of the program as one CommonJS text, the only kind that Node takes here. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/cli.ts'],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node24',
    minify: true,
    legalComments: 'none',
    write: false,
    logLevel: 'error',
    external: ['miniflare'],
    plugins: [withoutAwsSurroundings(), withoutFetch(), await withFilesInside()],
  })
  return outputFiles[0].text
}

/** What the program reads beside itself stands in it, and it waits for its end without a module's await. */
async function withFilesInside() {
  const names = (await readdir(join(root, 'templates'))).sort()
  const texts = names.map(async (name) => [
    name,
    await readFile(join(root, 'templates', name), 'utf8'),
  ])
  const templates = JSON.stringify(Object.fromEntries(await Promise.all(texts)))
  const manifest = JSON.stringify(await readFile(join(root, 'package.json'), 'utf8'))
  const replaced = {
    'cli.ts': ['host.leave(await main(host))', 'void main(host).then((code) => host.leave(code))'],
    'host.ts': ["readFileSync(new URL('../package.json', import.meta.url), 'utf8')", manifest],
    'template.ts': [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a text of the source
      "readFile(new URL(`../templates/${name}`, import.meta.url), 'utf8')",
      `Promise.resolve((${templates} as Record<string, string>)[name] ?? '')`,
    ],
  }
  return {
    name: 'with-files-inside',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/](cli|host|template)\.ts$/ }, async ({ path }) => {
        const [from, to] = replaced[path.split(/[\\/]/).at(-1)]
        const text = await readFile(path, 'utf8')
        if (!text.includes(from)) throw new Error(`${path} has no ${from} any more.`)
        return { contents: text.replace(from, () => to), loader: 'ts' }
      })
    },
  }
}

/**
 * Neither snapshot nor code cache, so that it is the same on every machine and for every one. The path
 * of the text stands in it, and has to be the same, too.
 */
async function blobOf(text) {
  const settings = { main: 'main.cjs', output: 'blob', disableExperimentalSEAWarning: true }
  await writeFile(join(scratch, settings.main), text)
  await writeFile(join(scratch, 'config.json'), JSON.stringify(settings))
  const node = await runtime(process.arch)
  const stdio = ['ignore', 'ignore', 'inherit']
  execFileSync(node, ['--experimental-sea-config', 'config.json'], { cwd: scratch, stdio })
  return readFile(join(scratch, settings.output))
}

/** Node's program for a processor, checked, from a package that holds nothing else. */
async function runtime(cpu) {
  const integrity = runtimes[cpu]
  if (integrity === undefined) throw new Error(`There is no Node for ${cpu} here: x64 or arm64.`)
  const folder = join(scratch, cpu)
  const node = join(folder, 'package/bin/node')
  if ((await readdir(scratch)).includes(cpu)) return node
  await mkdir(folder)
  const pack = ['pack', '--silent', '--pack-destination', folder, `node-linux-${cpu}@${NODE}`]
  const name = execFileSync('npm', pack, { cwd: folder, encoding: 'utf8' }).trim()
  const tarball = join(folder, name)
  const hash = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')
  if (`sha512-${hash}` !== integrity) throw new Error(`${name} is not what it was.`)
  execFileSync('tar', ['-xzf', tarball, '-C', folder, 'package/bin/node'])
  await rm(tarball)
  return node
}
