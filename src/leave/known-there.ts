import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { classOf } from '../plan/report-schema.ts'
import type { Step } from '../plan/step.ts'
import { type KnownMedia, newUrl } from '../redirects/redirecting.ts'
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
/** Files that are looked through for them. */
const SAMPLED = 2_000

/** Files that both sides have and everyone may see, of different kinds where there are. */
export function mediaThere({ there, bucket, signal }: Leaving, base: string): KnownMedia {
  let looking: Promise<readonly string[]> | undefined
  const find = async () => {
    const found = new Map<string, string>()
    let looked = 0
    for await (const files of there.source.files({ signal, few: true })) {
      for (const { key, mode = 0o644 } of files) {
        looked += 1
        const kind = key.split('/')[0] ?? ''
        const isPublic = (mode & 0o004) !== 0 && classOf(key).private !== true
        const isWanted = isPublic && /^[\w./-]+$/.test(key) && key.includes('/')
        if (!isWanted || found.has(kind) || kind === 'mastodon-r2-probe') continue
        if ((await bucket().head(key)) !== undefined) found.set(kind, key)
        if (found.size >= MOST) return [...found.values()]
      }
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
      if (known.length === 0) return nothingKnown(there)
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

function nothingKnown({ words: { on } }: Leaving['there']): Problem {
  return new Problem({
    code: 'no-media-on-both-sides',
    what: `No file was found that is on R2 and ${on}.`,
    why: 'A redirect is only made once a known file was seen to come from where it leads.',
    next: prose`Copy first: ${toType('leave', { stage: 'copy' })}`,
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
