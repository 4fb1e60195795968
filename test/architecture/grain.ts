import type { Import } from './imports.ts'

/** The only files under 40 lines that a single other file imports, each with its reason. */
export const smallOnPurpose: Readonly<Record<string, string>> = {
  'settings/env-answers.ts': 'the library is loaded where answers come as variables',
  'ui/json.ts': 'one of the three voices, each of which is a file',
}

/**
 * Crumbs: files with fewer than 40 lines that exactly one other file imports. They belong into
 * that file. A port is none: it is the border between a service and those who call it.
 */
export function crumbs(lines: ReadonlyMap<string, number>, imports: readonly Import[]): string[] {
  const importers = (file: string) =>
    new Set(imports.filter(({ target }) => target === file).map((at) => at.file))
  return [...lines]
    .filter(([file, count]) => count < 40 && !/(^|[/-])port\.ts$/.test(file))
    .map(([file]) => file)
    .filter((file) => importers(file).size === 1)
    .sort()
}
