import { readdir, readFile } from 'node:fs/promises'

const LINE = `${'='.repeat(72)}\n`

/** The licences of every package that stands in the bundle, as one text; each wording once. */
export async function thirdPartyLicences({ outputs }, root) {
  const folders = new Set()
  for (const { inputs } of Object.values(outputs)) {
    for (const path of Object.keys(inputs)) {
      // The innermost package: one may carry others in a node_modules of its own.
      const [folder] = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []
      if (folder !== undefined) folders.add(folder)
    }
  }
  const byText = new Map()
  for (const folder of [...folders].sort()) {
    const { title, text } = await describe(new URL(`${folder}/`, root))
    byText.set(text, [...(byText.get(text) ?? []), title])
  }
  const parts = [...byText].map(([text, titles]) => `${LINE}${titles.join('\n')}\n\n${text}\n`)
  return `mastodon-r2 holds parts of these packages.\n\n${parts.join('\n')}`
}

async function describe(folder) {
  const { name, version, license, repository } = JSON.parse(
    await readFile(new URL('package.json', folder), 'utf8'),
  )
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
  const texts = await Promise.all(
    files.sort().map((file) => readFile(new URL(file, folder), 'utf8')),
  )
  if (!license && texts.length === 0) throw new Error(`${name} names no licence.`)
  const where = typeof repository === 'string' ? repository : (repository?.url ?? '')
  return {
    title: `${name} ${version} (${license}) ${where}`.trimEnd(),
    text: texts.map((text) => text.trim()).join('\n\n') || `No file of their own; ${license}.`,
  }
}
