// Puts the fragments of changes/, and what stands under Unreleased, under a release's heading.
//   node .build/changelog.mjs [VERSION [DATE]]   npm version runs it: its version, and today
//   node .build/changelog.mjs --check            whether each fragment is as changes/README.md says
//   node .build/changelog.mjs --notes VERSION    the text of one release; refuses what is not written
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SECTIONS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']
const [PAGE, FOLDER] = ['CHANGELOG.md', 'changes']
const UNRELEASED = '## [Unreleased]'

class Refused extends Error {}

try {
  process.stdout.write(main(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof Refused)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

function main([first, second]) {
  if (first === '--check') return `${fragments().length} fragments are well-formed.\n`
  if (first === '--notes') return notes(versionOf(second))
  const today = new Date().toISOString().slice(0, 10)
  return release(versionOf(first ?? process.env.npm_package_version), dayOf(second ?? today))
}

function versionOf(text = '') {
  if (/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(text)) return text
  throw new Refused(`"${text}" is no version such as 1.2.3.`)
}

function dayOf(text) {
  const day = new Date(`${text}T00:00:00Z`)
  if (!Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) return text
  throw new Refused(`"${text}" is no day such as 2026-12-31.`)
}

/** Each with its section and its entry, in the order of their names. Refuses the lot for one fault. */
function fragments() {
  const names = readdirSync(FOLDER).filter((name) => name !== 'README.md')
  const read = names.sort().map((name) => {
    const [, word = ''] = /^[a-z0-9-]+\.([a-z]+)\.md$/.exec(name) ?? []
    const section = SECTIONS.find((one) => one.toLowerCase() === word)
    const text = readFileSync(join(FOLDER, name), 'utf8').trim()
    const fault = !section
      ? `is not named WORDS.SECTION.md, with a section of ${SECTIONS.join(', ').toLowerCase()}`
      : text === ''
        ? 'is empty'
        : /^([-*#]|\d+\.) /.test(text)
          ? 'begins with a dash, a number or a heading: its entry gets the dash by itself'
          : undefined
    return { name, section, entry: entryOf(text), fault }
  })
  const faults = read.filter(({ fault }) => fault)
  if (faults.length === 0) return read
  throw new Refused(faults.map(({ name, fault }) => `${FOLDER}/${name} ${fault}.`).join('\n'))
}

/** An item of a list, however many lines and paragraphs it has. */
function entryOf(text) {
  return `- ${text.replaceAll(/\n(?=[^\n])/g, '\n  ')}`
}

/** The page before Unreleased, under it, and from the release before on. */
function parts() {
  const page = readFileSync(PAGE, 'utf8')
  const at = `\n${page}`.indexOf(`\n${UNRELEASED}\n`)
  if (at < 0) throw new Refused(`${PAGE} has no heading ${UNRELEASED}.`)
  const behind = page.slice(at + UNRELEASED.length)
  const end = behind.search(/^## /m)
  return end < 0
    ? { head: page.slice(0, at), open: behind, older: '' }
    : { head: page.slice(0, at), open: behind.slice(0, end), older: behind.slice(end) }
}

/** Text by section. */
function bySection(text) {
  const [before = '', ...blocks] = text.split(/^### /m)
  if (before.trim() !== '') {
    throw new Refused(`Under Unreleased stands text above all sections: ${before.trim()}`)
  }
  const found = new Map()
  for (const block of blocks) {
    const [name = '', ...lines] = block.split('\n')
    if (!SECTIONS.includes(name)) throw new Refused(`Under Unreleased stands a section "${name}".`)
    found.set(name, [found.get(name), lines.join('\n').trim()].filter(Boolean).join('\n\n'))
  }
  return found
}

function release(version, day) {
  const { head, open, older } = parts()
  const [written, known] = [bySection(open), releaseIn(older, version)]
  const all = fragments()
  // A run that was stopped before it had removed them.
  const left = all.filter(({ entry }) => !known?.includes(`\n${entry}\n`))
  const isOpen = left.length > 0 || [...written.values()].some((text) => text !== '')
  if (known === undefined && !isOpen) throw new Refused('There is nothing to release.')
  if (known !== undefined && isOpen) {
    throw new Refused(`${PAGE} has ${version} already, and there is more: give the next version.`)
  }
  if (known === undefined) {
    const sections = SECTIONS.flatMap((name) => {
      const entries = all.flatMap(({ section, entry }) => (section === name ? [entry] : []))
      const text = [written.get(name), ...entries].filter(Boolean).join('\n')
      return text === '' ? [] : [`### ${name}\n\n${text}\n`]
    })
    const made = [`${UNRELEASED}\n`, `## [${version}] - ${day}\n`, ...sections, older]
    writeFileSync(`${PAGE}.new`, `${head}${made.join('\n')}`.replace(/\n+$/, '\n'))
    renameSync(`${PAGE}.new`, PAGE)
  }
  for (const { name } of all) rmSync(join(FOLDER, name))
  return known === undefined
    ? `${PAGE} has ${version} now, with ${all.length} fragments of ${FOLDER}/.\n`
    : `${PAGE} has ${version} already.\n`
}

/** The text under a release's heading; undefined where it has none. */
function releaseIn(older, version) {
  const block = older.split(/^(?=## )/m).find((one) => one.startsWith(`## [${version}] `))
  return block?.slice(block.indexOf('\n'))
}

function notes(version) {
  const { open, older } = parts()
  const text = releaseIn(older, version)
  if (text === undefined) throw new Refused(`${PAGE} has no heading for ${version}: npm version.`)
  if (fragments().length > 0 || open.trim() !== '') {
    throw new Refused(`There are changes that stand under no release: npm run changelog.`)
  }
  return `${text.trim()}\n`
}
