import { readFile } from 'node:fs/promises'

/** The text of a file in templates/, which lies beside src/ and beside dist/ alike. */
export function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`../templates/${name}`, import.meta.url), 'utf8')
}
