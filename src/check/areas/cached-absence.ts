import { Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/storage-block.ts'
import type { Check } from '../../plan/verdict.ts'
import type { Open } from './inside.ts'
import { type HostAt, type MediaHost, notAsked } from './media-host.ts'
import type { Door } from './storage-door.ts'
import { IMAGE, IMAGE_TYPE, type VisitAt } from './visit.ts'

type Find = (at: HostAt) => Promise<MediaHost>

/**
 * Asks for an image before it is uploaded, and again after. Cloudflare keeps a 404 for 3 minutes
 * unless told otherwise (docs, cache: Edge TTL).
 */
export function cachedAbsenceCheck(find: Find, open: Open): Check<keyof VisitAt> {
  return {
    id: 'public-cached-404',
    about: 'public web',
    title: 'Remembered 404',
    cost: 'probe',
    async look(at) {
      const found = await find(at)
      if (found.is !== 'there') return notAsked(found)
      const seen = await askTwice(at, found.host, await open(at))
      if (seen === undefined) {
        return [{ severity: 'skipped', saw: 'not tried: no test file came through' }]
      }
      const [before, after] = seen
      if (before !== 404 || after !== 404) {
        return [{ severity: 'ok', saw: 'a file is there at once, even if asked for too early' }]
      }
      return [
        {
          severity: 'note',
          saw: 'A file that was asked for before it was uploaded stayed 404 afterwards.',
          matters:
            'Cloudflare remembers a 404 for 3 minutes. During a move, an image that somebody asks for too early stays broken for that long.',
          next: 'Nothing has to be done. This would end it: npx mastodon-r2 init --edge cache-everything',
        },
      ]
    },
  }
}

/** Status before and after the upload; undefined when a request failed, which other checks tell. */
async function askTwice(
  at: VisitAt,
  host: string,
  door: Door,
): Promise<[number, number] | undefined> {
  if (door.is === 'shut') return undefined
  const key = `mastodon-r2-probe/${at.clock.randomHex(32)}-early.png`
  const url = `https://${host}/${key}`
  try {
    const before = await at.web.fetch(url)
    const options = { contentType: IMAGE_TYPE, cacheControl: MEDIA_CACHE_CONTROL }
    await door.s3.put(key, IMAGE, options)
    const after = await at.web.fetch(url)
    return [before.status, after.status]
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  } finally {
    await door.s3.delete(key).catch(() => undefined)
  }
}
