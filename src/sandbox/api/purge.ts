import type { CachePurgeResponse } from 'cloudflare/resources/cache/cache'
import { purge } from '../edge/cache.ts'
import { ok, Refusal } from './refusal.ts'
import { bodyObject, type Handler, isObject, param } from './request.ts'

/** In one call, on plans other than Enterprise (Cloudflare docs, cache/how-to/purge-cache). */
const MOST = 30

/** By address, and by prefix; what else can be purged by, the sandbox does not do. */
export const purgeCache: Handler = ({ world }, request) => {
  const zone = world.zones.find(({ id }) => id === param(request, 'zone'))
  if (!zone) throw new Refusal('not-permitted')
  const { files, prefixes, ...others } = bodyObject(request)
  const odd = Object.keys(others)[0]
  if (odd !== undefined) throw new Refusal('purge-body', `The sandbox does not purge by ${odd}.`)
  if ((files === undefined) === (prefixes === undefined)) {
    throw new Refusal('purge-body', 'One of files and prefixes is needed.')
  }
  const listed = listOf(files ?? prefixes)
  const wish =
    files === undefined
      ? { files: [], prefixes: listed.map(prefixOf) }
      : { files: listed.map(fileOf), prefixes: [] }
  const hosts = [
    ...wish.files.map(({ url }) => new URL(url).hostname),
    ...wish.prefixes.map((prefix) => prefix.replace(/[:/].*$/, '')),
  ]
  const foreign = hosts.find((host) => host !== zone.name && !host.endsWith(`.${zone.name}`))
  if (foreign !== undefined) throw new Refusal('purge-body', `${foreign} is not in the zone.`)
  purge(world.edge, wish)
  return ok<CachePurgeResponse>({ id: zone.id })
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new Refusal('purge-body', 'A list is needed.')
  if (value.length > MOST) throw new Refusal('purge-body', `At most ${MOST} in one call.`)
  return value
}

function fileOf(value: unknown): { url: string; origin: string | undefined } {
  const { url, headers } = isObject(value) ? value : { url: value, headers: undefined }
  if (typeof url !== 'string' || !/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Refusal('purge-body', 'A whole address is needed.')
  }
  const entries = isObject(headers) ? Object.entries(headers) : []
  const origin = entries.find(([name]) => name.toLowerCase() === 'origin')?.[1]
  return { url, origin: typeof origin === 'string' ? origin : undefined }
}

function prefixOf(value: unknown): string {
  if (typeof value === 'string' && !/^https?:|[?#\s]/.test(value)) return value
  throw new Refusal('purge-body', 'A prefix has no scheme and no query.')
}
