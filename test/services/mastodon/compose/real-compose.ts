import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isRequired } from '../../../requirement.ts'

/** Where packages put the program, which is a plugin of docker's and runs by itself as well. */
const PLACES = [
  process.env.MASTODON_R2_TEST_COMPOSE ?? '',
  fileURLToPath(new URL('../../../vendor/docker-compose', import.meta.url)),
  '/usr/libexec/docker/cli-plugins/docker-compose',
  '/usr/lib/docker/cli-plugins/docker-compose',
  join(homedir(), '.docker/cli-plugins/docker-compose'),
  '/usr/local/bin/docker-compose',
  '/usr/bin/docker-compose',
]

function find(): { readonly program: string; readonly version: string } | undefined {
  for (const program of PLACES.filter((place) => place !== '' && existsSync(place))) {
    try {
      const version = execFileSync(program, ['version', '--short'], { encoding: 'utf8' })
      if (/^v?[2-9]\./.test(version)) return { program, version: version.trim().replace(/^v/, '') }
    } catch {}
  }
  return undefined
}

/** docker-compose 2 or later; undefined where it is not installed. */
export const realCompose = find()

/** Whether the tests with it are to be left out: it is not here, and nobody insists. */
export const composeMissing = realCompose === undefined && !isRequired('compose')

/** The lookup of `${NAME}` in an env file: before 2.37 earlier files came before variables. */
export const filesFirst = /^2\.(\d|[12]\d|3[0-6])\./.test(realCompose?.version ?? '')

interface Service {
  readonly environment?: Readonly<Record<string, string | null>>
  readonly volumes?: readonly { readonly source: string; readonly target: string }[]
}

type Model = { readonly services: Readonly<Record<string, Service>> }

/** Where a folder's answer goes; compose reads no file of such a name. */
const ANSWER = 'asked.json'

/** A shell is small, and so is a copy of it: that of a worker costs as much as compose itself. */
const ASK = `for folder; do
  cd "$folder" && HOME=$folder "$COMPOSE" config --format json >${ANSWER} 2>/dev/null || rm ${ANSWER}
done`

/** `config --format json` of the project in each folder; undefined where compose refuses it. */
export function askedOf(folders: readonly string[]): Promise<(Model | undefined)[]> {
  const env = {
    PATH: process.env.PATH,
    COMPOSE: realCompose?.program ?? 'docker-compose',
    // It ends before there is much to collect.
    GOGC: 'off',
    GOMAXPROCS: '1',
  }
  return new Promise((done) => {
    execFile('sh', ['-c', ASK, 'sh', ...folders], { env }, () =>
      done(folders.map((folder) => answerIn(folder))),
    )
  })
}

function answerIn(folder: string): Model | undefined {
  const path = join(folder, ANSWER)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
