import { Problem } from '../core/problem.ts'
import { type Finding, learned, type Place, type Step, type World } from '../plan/step.ts'
import { type EnvFileOnDisk, envFileNotWritable } from '../services/mastodon/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import { KEY_TO_COME, leftBehind } from '../setup/env-file.ts'
import { unreachedBy } from '../setup/reach.ts'

type Needs = 'envWriter' | 'place' | 'facts'

const ID = 'AWS_ACCESS_KEY_ID'
const SECRET = 'AWS_SECRET_ACCESS_KEY'

/** The two lines of the key in the env file that they stand in now; all else stays. */
export const keyLines: Step<Needs> = {
  id: 'env-file',
  title: 'Env file',

  async look({ place, facts, envWriter }): Promise<Finding> {
    const file = holder(place)
    const will = `put the new key into ${file.path} (a backup is kept)`
    const key = facts.accessKey ?? KEY_TO_COME
    const problem = facts.envWritten ? undefined : await unread(place, envWriter, file, key)
    if (problem) return { is: 'blocked', problem }
    if (!facts.accessKey) return { is: 'waiting', on: 'accessKey', will }
    if (!facts.oldKeyNamed) return { is: 'waiting', on: 'oldKeyNamed', will }
    if (facts.envWritten) return { is: 'ready', note: `${file.path} holds the new key` }
    const text = edited(envWriter, file, facts.accessKey)
    if (text !== file.text) {
      const changes = [{ what: will, risk: 'safe' }] as const
      return { is: 'change', changes, warnings: leftBehind(file) }
    }
    const envWritten = { file: file.path, backup: undefined, changed: [], diff: [] }
    return { is: 'ready', note: `${file.path} holds the new key`, facts: { envWritten } }
  },

  async change({ place, facts, envWriter }) {
    const file = holder(place)
    const text = edited(envWriter, file, learned(facts, 'accessKey'))
    const { backup } = await envWriter.write(file, text)
    const diff = envWriter.diff(file.text, text)
    return { envWritten: { file: file.path, backup, changed: [ID, SECRET], diff } }
  },
}

/** Before a key is made: whether each service would get it from this file. */
function unread(
  { installation }: Place,
  envWriter: World['envWriter'],
  file: EnvFileOnDisk,
  key: S3Key,
): Promise<Problem | undefined> {
  const text = edited(envWriter, file, key)
  return unreachedBy(installation, envWriter, { file, text }, valuesOf(key))
}

function edited(envWriter: World['envWriter'], file: EnvFileOnDisk, key: S3Key): string {
  return envWriter.edit(file.text, valuesOf(key), [])
}

function valuesOf(key: S3Key): ReadonlyMap<string, string> {
  return new Map([
    [ID, key.accessKeyId],
    [SECRET, key.secretAccessKey.reveal()],
  ])
}

/** The file that Mastodon takes the key from; nothing is minted when it can't be changed. */
function holder({ installation }: Place): EnvFileOnDisk {
  const [id, secret] = [ID, SECRET].map((name) => installation.settings.get(name)?.from)
  const file = installation.envFiles.find(({ path }) => path === id)
  if (!file || id !== secret) throw elsewhere(id ?? 'nowhere', secret ?? 'nowhere')
  if (!file.writable)
    throw envFileNotWritable(file.path, {
      needed: 'A key without a place to keep it would be lost.',
    })
  return file
}

function elsewhere(id: string, secret: string): Problem {
  const places = id === secret ? id : `${id} and ${secret}`
  return new Problem({
    code: 'key-not-in-env-file',
    what: `Mastodon takes its key from ${places}, not from one env file.`,
    why: 'Only an env file can be changed here in one step, so that id and secret always fit.',
    next: `Move ${ID} and ${SECRET} into .env.production, restart Mastodon, and run this again.`,
    exit: 2,
  })
}
