import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { editEnvFile } from '../../../src/services/mastodon/env-edit.ts'
import { fileText } from '../../../src/services/mastodon/env-text.ts'
import { render } from '../../../src/template.ts'
import { storageValues } from './storage-values.ts'

const folder = join(import.meta.dirname, 'fixtures')
const template = readFileSync(
  join(import.meta.dirname, '../../../templates/env-production.txt'),
  'utf8',
)

export const block = render(template, Object.fromEntries(storageValues))

/** Env files in the forms that admins have them. */
export const fixtures = readdirSync(folder).map((name) => ({
  name,
  text: fileText.decode(readFileSync(join(folder, name))),
}))

/** A fixture with the storage block put in. */
export const edited = (text: string) => editEnvFile(text, { set: storageValues, block })
