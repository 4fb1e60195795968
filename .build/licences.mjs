import { readdir, readFile } from 'node:fs/promises'

/** The licences of every package that stands in the bundle, as one text. */
export async function thirdPartyLicences({ inputs, outputs }, root) {
  const bundled = new Set(Object.values(outputs).flatMap((output) => Object.keys(output.inputs)))
  const folders = new Set()
  for (const path of Object.keys(inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
    if (folder && bundled.has(path)) folders.add(folder)
  }
  const parts = await Promise.all(
    [...folders].sort().map((folder) => describe(new URL(`${folder}/`, root))),
  )
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
  const head = `${'='.repeat(72)}\n${name} ${version} (${license}) ${where}\n`
  return `${head}\n${texts.map((text) => text.trim()).join('\n\n')}\n`
}
