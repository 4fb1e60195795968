import { Problem } from '../core/problem.ts'
import { merge } from '../core/streams.ts'
import { prose } from '../core/to-type.ts'
import { sideBySide } from '../moving/side-by-side.ts'
import { classOf } from '../plan/report-schema.ts'
import type { Step } from '../plan/step.ts'
import { type KnownMedia, newUrl } from '../redirects/redirecting.ts'
import type { MediaFile } from '../services/media/port.ts'
import { isProbe } from '../setup/proof.ts'
import type { Leaving } from './leaving.ts'

/** Before anything is redirected: known files come from where addresses will lead. */
export function knownThere(known: KnownMedia, base: string): Step<'web' | 'connectS3' | 'place'> {
  return {
    id: 'known-there',
    title: 'Known media',
    async look(at) {
      const problem = await known.fault(at)
      if (problem) return { is: 'blocked', problem }
      const many = (await known.keys(at)).length
      const files = many === 1 ? 'a known file is' : `${many} known files are`
      return { is: 'ready', note: `${files} on R2, and given out at https://${base}` }
    },
  }
}

const MOST = 3
/** Files that are looked through for more than one. */
const SAMPLED = 2_000
const PLAIN = /^[\w./-]+$/

/**
 * Files that both sides have and everyone may see, of different kinds where there are. Both are listed
 * up to there: no object is asked for by itself.
 */
export function mediaThere(at: Leaving, base: string): KnownMedia {
  const { there, bucket, signal } = at
  let looking: Promise<readonly string[]> | undefined
  const find = async () => {
    const found = new Map<string, string>()
    const read = there.source.files({ signal, few: true })
    const { files, objects } = sideBySide(read, bucket(), signal)
    let looked = 0
    for await (const pairs of merge(files, objects)) {
      for (const { file, object } of pairs) {
        if (!file || !object || file.size !== object.size || !isPublic(file)) continue
        const kind = file.key.split('/')[0] ?? ''
        if (!found.has(kind)) found.set(kind, file.key)
        if (found.size >= MOST) return [...found.values()]
      }
      looked += pairs.length
      if (looked >= SAMPLED && found.size > 0) break
    }
    return [...found.values()]
  }
  const keys = () => {
    looking ??= find().catch((error: unknown) => {
      looking = undefined
      throw error
    })
    return looking
  }
  return {
    keys,
    async fault({ web }) {
      const known = await keys()
      if (known.length === 0) return nothingKnown(at)
      for (const key of known) {
        const url = newUrl(base, key)
        const { status, header } = await web.fetch(url, { method: 'HEAD' })
        const [to] = header('location')
        if (status !== 200) return notGivenOut(url, to ?? `status ${status}`)
      }
      return undefined
    },
  }
}

/** A plain name, as a rule is tried with it. */
function isPublic({ key, mode = 0o644 }: MediaFile): boolean {
  const isOpen = (mode & 0o004) !== 0 && classOf(key).private !== true
  return isOpen && PLAIN.test(key) && key.includes('/') && !isProbe(key)
}

function nothingKnown({ there, lineFor }: Leaving): Problem {
  return new Problem({
    code: 'no-media-on-both-sides',
    what: `No file was found that is on R2 and ${there.words.on}.`,
    why: 'A redirect is only made once a known file was seen to come from where it leads.',
    next: prose`Copy first:\n  ${lineFor('copy')}`,
  })
}

function notGivenOut(url: string, instead: string): Problem {
  return new Problem({
    code: 'new-place-not-served',
    what: `${url} is not given out: ${instead}.`,
    why: 'Redirected now, old addresses would lead to nothing, or round in a circle.',
    next: 'Let it be served there (redirects of that address have to go first), and run this again.',
  })
}
