import { afterChange } from '../../core/problem.ts'
import { shellWord } from '../../core/shell-word.ts'
import type { EnvWriter, Finding, Step, StepIn } from '../../plan/step.ts'
import { closeToOthers, isOpenToOthers, type OthersMay } from '../../services/mastodon/env-mode.ts'
import type { EnvFileOnDisk } from '../../services/mastodon/port.ts'
import { leftBehind } from '../../setup/env-file.ts'
import { isSecretSetting, shown } from '../areas/setting-check.ts'
import type { FileEdit } from './edits.ts'

/** The lines of Mastodon's env files, each file written once, with a backup beside it. */
export function envLines(edits: readonly FileEdit[]): Step<'envWriter' | 'facts'> {
  return {
    id: 'env-lines',
    title: 'Env file',

    async look({ envWriter, facts }): Promise<Finding> {
      const paths = edits.map(({ file }) => file.path).join(', ')
      if (facts.envWritten) return { is: 'ready', note: `${paths} written` }
      const open = edits.filter((edit) => textOf(envWriter, edit) !== edit.file.text)
      if (open.length === 0) return { is: 'ready', note: `${paths} holds the values` }
      return {
        is: 'change',
        changes: open.flatMap(({ file, set, retire }) =>
          [
            `change ${file.path} (a backup is kept)`,
            ...[...set].map((line) => `write ${inWords(line)}`),
            ...retire.map((name) => `comment out ${name}`),
          ].map((what) => ({ what, risk: 'safe' as const })),
        ),
        warnings: open.flatMap(({ file }) => leftBehind(file)),
      }
    },

    async change({ envWriter }) {
      const written = []
      for (const edit of edits) {
        const { file, set, retire } = edit
        const text = textOf(envWriter, edit)
        if (text === file.text) continue
        const { backup } = await envWriter.write(file, text).catch((error: unknown) => {
          throw written.length > 0 ? afterChange(error) : error
        })
        const diff = envWriter.diff(file.text, text)
        written.push({ file: file.path, backup, changed: [...set.keys(), ...retire], diff })
      }
      const [first] = written
      if (first === undefined) return {}
      const changed = written.flatMap((one) => one.changed)
      const diff = written.flatMap((one) => one.diff)
      return { envWritten: { ...first, changed, diff } }
    },
  }
}

/** The file as it will be. Problems: those of the editor. */
export function textOf(
  envWriter: Pick<EnvWriter, 'edit'>,
  { file, set, retire }: FileEdit,
): string {
  return envWriter.edit(file.text, set, retire)
}

function inWords([name, value]: readonly [string, string]): string {
  return isSecretSetting(name) ? `${name} with the key alone` : `${name}=${shown(value)}`
}

/** A file, and what everybody is no more to do with it. */
export interface Closing {
  readonly file: EnvFileOnDisk
  readonly may: OthersMay
}

/** Env files that only their owner and group may read, or change. */
export function envMode(files: readonly Closing[]): StepIn<unknown> {
  return {
    id: 'env-mode',
    title: 'Who may read the env file',

    async look(): Promise<Finding> {
      const open = await openOf(files)
      if (open.length === 0) return { is: 'ready', note: 'not everybody' }
      const changes = open.map(({ file: { path }, may }) => ({
        what: `chmod ${may === 'all' ? 'o=' : 'o-w'} ${shellWord(path)}`,
        risk: 'safe' as const,
      }))
      return { is: 'change', changes }
    },

    async change() {
      for (const { file, may } of await openOf(files)) await closeToOthers(file, may)
      return {}
    },
  }
}

async function openOf(files: readonly Closing[]): Promise<Closing[]> {
  const seen = await Promise.all(files.map(({ file, may }) => isOpenToOthers(file, may)))
  return files.filter((_, index) => seen[index])
}
