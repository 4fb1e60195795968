import { Problem } from '../../core/problem.ts'

type Verb = (...words: never[]) => Promise<unknown>

/**
 * The same verbs, for answers whose form nobody has checked: where taking one apart fails, it was not
 * what the API's description promises. Throws Problem `cloudflare-odd-answer` then.
 */
export function wellFormed<Port extends object>(port: Port): Port {
  const verbs = Object.entries(port).map(([name, verb]) => {
    const guarded = async (...words: never[]) => {
      try {
        return await (verb as Verb)(...words)
      } catch (error) {
        throw error instanceof TypeError ? oddAnswer(name, error) : error
      }
    }
    return [name, guarded]
  })
  return Object.fromEntries(verbs) as Port
}

/** `value` as a list of objects, absent as an empty one; a TypeError for anything else. */
export function listOfObjects(value: unknown): Record<string, unknown>[] {
  if (value === undefined || value === null) return []
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'object' && item)
  if (!isList) throw new TypeError('Not a list of objects.')
  return value as Record<string, unknown>[]
}

function oddAnswer(verb: string, cause: TypeError): Problem {
  return new Problem(
    {
      code: 'cloudflare-odd-answer',
      what: "An answer of Cloudflare's API has another form than its description says.",
      why: `It came when this tool called ${verb}. A proxy may be in between, or the API has changed.`,
      next: 'Run this again in some minutes. If it stays, look for a newer mastodon-r2, or report this with the lines that --verbose prints.',
    },
    { cause },
  )
}
