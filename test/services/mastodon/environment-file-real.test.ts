import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fileText } from '../../../src/services/mastodon/env-text.ts'
import { readEnvironmentFile } from '../../../src/services/mastodon/systemd.ts'
import { isRequired } from '../../requirement.ts'

/** Asks the library that systemd itself is made of: texts in, ended by NUL; assignments out. */
const PROGRAM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) return fprintf(stderr, "%s\\n", dlerror()), 2;
  int (*load)(FILE *, const char *, char ***) = dlsym(library, "load_env_file");
  char **(*clean)(char **, void *, void *) = dlsym(library, "strv_env_clean_with_callback");
  if (!load || !clean) return 2;
  char *text = NULL; size_t room = 0; ssize_t length;
  while ((length = getdelim(&text, &room, 0, stdin)) > 0) {
    FILE *file = tmpfile();
    fwrite(text, 1, strlen(text), file);
    rewind(file);
    char **found = NULL;
    if (load(file, NULL, &found) >= 0)
      for (char **one = clean(found, NULL, NULL); one && *one; one++) printf("%s%c", *one, 0);
    fclose(file);
    printf("\\001%c", 0);
  }
}
`

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-systemd-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Reader {
  readonly version: number
  read(texts: readonly string[]): Record<string, string>[]
}

function systemdsOwn(): Reader {
  const [library = '', version = ''] =
    ['/usr/lib', '/lib']
      .flatMap((base) => readdirSync(base).map((name) => `${base}/${name}/systemd`))
      .flatMap((place) => filesOf(place).map((name) => `${place}/${name}`))
      .map((path) => /^.*\/libsystemd-shared-(\d+).*\.so$/.exec(path))
      .find((match) => match !== null) ?? []
  if (library === '') throw new Error('There is no libsystemd-shared.')
  const program = join(folder, 'read')
  writeFileSync(`${program}.c`, PROGRAM)
  execFileSync('cc', ['-o', program, `${program}.c`, '-ldl'], { timeout: 60_000 })
  const read = (texts: readonly string[]) => {
    const input = fileText.encode(texts.map((text) => `${text}\0`).join(''))
    const output = execFileSync(program, [library], {
      input,
      encoding: 'utf8',
      maxBuffer: 1e8,
      // It tells of each file that it refuses.
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    return output
      .split('\u0001\0')
      .slice(0, -1)
      .map((entries) => Object.fromEntries(entries.split('\0').slice(0, -1).map(pairOf)))
  }
  if (read(['A=1'])[0]?.A !== '1') throw new Error('It reads nothing.')
  return { version: Number(version), read }
}

function filesOf(place: string): string[] {
  try {
    return readdirSync(place)
  } catch {
    return []
  }
}

function pairOf(entry: string): [string, string] {
  const at = entry.indexOf('=')
  return [entry.slice(0, at), entry.slice(at + 1)]
}

function reader(): Reader | undefined {
  try {
    return systemdsOwn()
  } catch (cause) {
    if (isRequired('systemd')) throw new Error("systemd's parser can't be asked.", { cause })
    return undefined
  }
}

const systemd = reader()
const hindrance = systemd ? '' : '(no libsystemd-shared, or no C compiler here)'

/** What its syntax has a meaning for, and what it should have none for. */
const PIECES = [
  ...['A', 'B_1', '9C', 'export ', '=', '=', '=', '"', "'", '\\', '\\', '\n', '\n', '\r', ' ', ' '],
  ...['\t', '#', ';', '$', '${A}', '`', 'x', 'yz', 'ü', '\\n', '\\"', '\\\n', ':', 'https://a/b#c'],
]
const texts = fc
  .tuple(fc.constantFrom('', 'A='), fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }))
  .map(([start, pieces]) => start + pieces.join(''))

/** Before 254 such a comment takes the next line along, which the checks tell of. */
const isOfOld = (text: string) => /^[ \t]*[#;].*\\\r?$/m.test(text)

const PLAIN = fc.constantFrom('A=1', '# note', 'B="2"', '\n', '\n')
const ODD = fc.constantFrom('\udce9', '\udcc3', '\uFFFE', '\ufdd0', 'ü', '\u{1f600}')
const oddTexts = fc
  .array(fc.oneof(PLAIN, PLAIN, ODD), { maxLength: 12 })
  .map((pieces) => pieces.join(''))

test.skipIf(!systemd).each([
  ['6,000 random files', texts, 6000],
  ['2,000 files with bytes that are no text', oddTexts, 2000],
] as const)(`%s, as systemd reads them ${hindrance}`, (_, some, count) => {
  if (!systemd) throw new Error(hindrance)
  const asked = fc.sample(some, count).filter((text) => systemd.version >= 254 || !isOfOld(text))
  const theirs = systemd.read(asked)
  expect(theirs).toHaveLength(asked.length)
  const different = asked.flatMap((text, at) => {
    const ours = Object.fromEntries(readEnvironmentFile(text))
    const isSame = JSON.stringify(sorted(ours)) === JSON.stringify(sorted(theirs[at] ?? {}))
    return isSame ? [] : [{ text, ours, theirs: theirs[at] }]
  })
  expect(different.slice(0, 5)).toEqual([])
  expect(theirs.filter((found) => Object.keys(found).length > 0).length).toBeGreaterThan(count / 12)
})

function sorted(found: Record<string, string>): [string, string][] {
  return Object.entries(found).sort(([one], [other]) => (one < other ? -1 : 1))
}
