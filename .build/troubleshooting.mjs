// Writes the table of docs/troubleshooting.md from the Problems in src/: `npm run docs`.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/troubleshooting.md')
const [BEGIN, END] = ['<!-- from the sources: npm run docs -->', '<!-- end -->']

/** Rooms as people would name what they were doing. */
const doing = [
  [/^services\/cloudflare|^flow\/token/, 'Cloudflare and the API token'],
  [/^services\/s3|^setup\/(proof|download)/, 'The bucket and its key'],
  [/^services\/(public-web)|^setup\/(public-read|media-domain|domain)/, 'The media host'],
  [
    /^services\/mastodon|^flow\/mastodon|^setup\/(env|reach|choose)|^core\/lock/,
    'Mastodon and its env file',
  ],
  [
    /^migrate|^services\/(media|rclone|checkpoint)|^setup\/(old-provider|slurper|target)|^flow\/media/,
    'Moving media',
  ],
  [/^redirects/, 'Old addresses'],
  [/^rotate|^setup\/(access|minted)/, 'Keys'],
  [/^settings|^core/, 'Flags, variables and answers'],
  [/^/, 'Everything else'],
]

/** Every Problem with the sentence that it begins with: `{ code, exit, what, file }`. */
async function problems() {
  const files = (await readdir(join(root, 'src'), { recursive: true }))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('sandbox/'))
    .sort()
  const texts = await Promise.all(files.map((file) => readFile(join(root, 'src', file), 'utf8')))
  return files.flatMap((file, nth) => inFile(file, texts[nth]))
}

function inFile(file, text) {
  return [...text.matchAll(/\bcode: '([a-z0-9-]+)',\n\s+what:\s*([\s\S]*?),\n\s+why\b/g)].map(
    ([whole, code, what]) => {
      const rest = text.slice(text.indexOf(whole), text.indexOf(whole) + whole.length + 1500)
      const literal = rest.slice(0, rest.search(/\n\s{0,6}\}\)?/) + 1 || undefined)
      return { code, file, what: sentence(what), exit: /\bexit: 2\b/.test(literal) ? 2 : 1 }
    },
  )
}

/** The first text of an expression, with … for what is filled in. */
function sentence(expression) {
  const [, single, double, template] =
    /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`/.exec(expression) ?? []
  const text = single ?? double ?? withoutValues(template ?? '')
  return text.replaceAll('\\', '').replaceAll('|', '\\|').split('\n')[0]
}

function withoutValues(template) {
  let [out, depth] = ['', 0]
  for (let at = 0; at < template.length; at++) {
    if (depth === 0 && template.startsWith('${', at)) {
      out += '…'
      depth = 1
      at += 1
    } else if (depth > 0) depth += template[at] === '{' ? 1 : template[at] === '}' ? -1 : 0
    else out += template[at]
  }
  return out
}

/** The page's tables. */
async function tables() {
  const all = await problems()
  const groups = new Map(doing.map(([, title]) => [title, []]))
  for (const problem of all) {
    const [, title] = doing.find(([pattern]) => pattern.test(problem.file))
    groups.get(title).push(problem)
  }
  return [...groups]
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => {
      const lines = rows
        .toSorted((a, b) => (a.code < b.code ? -1 : 1))
        .map(({ code, what, exit }) => `| \`${code}\` | ${what} | ${exit} |`)
      return `### ${title}\n\n| Code | It says | Exit |\n|---|---|---|\n${lines.join('\n')}\n`
    })
    .join('\n')
}

/** The page with its tables made anew. */
export async function fresh() {
  const text = await readFile(page, 'utf8')
  const [before] = text.split(BEGIN)
  const [, after = ''] = text.split(END)
  return `${before}${BEGIN}\n\n${await tables()}\n${END}${after}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(page, await fresh())
