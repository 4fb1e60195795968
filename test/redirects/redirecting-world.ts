import { knownMedia } from '../../src/redirects/known-media.ts'
import type { Redirecting } from '../../src/redirects/redirecting.ts'
import { SINGLE_PHASE } from '../../src/redirects/single.ts'
import type { Rule, RulePhase } from '../../src/services/cloudflare/port.ts'
import type { MediaSource } from '../../src/services/media/port.ts'
import { ACCOUNT, HOST, knownKey, setupOf, worldOf } from '../fakes/fake-world.ts'

export const OLD = { host: 'social.example.com', path: '/system/' }
export const KEYS = ['accounts/avatars/1/a.png', 'media_attachments/files/2/b.png']

export const stranger: Rule = {
  id: 'other',
  ref: 'other',
  description: 'Theirs',
  expression: 'ssl',
  action: 'redirect',
  enabled: true,
}

/** A bucket with media, and an edge that carries out our rules as far as `deaf` allows. */
export function redirectingWorld(status: 301 | 302 = 301, local?: MediaSource) {
  const world = worldOf({ knownKey })
  const { cloudflare, s3, web } = world
  for (const key of KEYS) {
    s3.objects.set(key, { body: new Uint8Array(3), contentType: 'image/png', cacheControl: '' })
  }
  const edge = {
    deaf: false,
    /** Redirects of somebody else, with this status. */
    elsewhere: undefined as number | undefined,
    /** What was answered at old addresses. */
    seen: [] as string[],
  }
  web.alter = (answer, _, url) => {
    const { host, pathname } = new URL(url)
    if (host !== OLD.host) return answer
    const code = edge.deaf ? undefined : (statusAtEdge() ?? edge.elsewhere)
    edge.seen.push(String(code ?? 404))
    if (code === undefined) return { status: 404, headers: [], body: new Uint8Array() }
    const location = `https://${HOST}/${pathname.slice(OLD.path.length)}`
    return { status: code, headers: [['location', location]], body: new Uint8Array() }
  }
  function statusAtEdge(): number | undefined {
    const single = cloudflare.rules.find(
      ({ phase, rule }) => phase === SINGLE_PHASE && rule.expression.includes(OLD.host),
    )
    const value = single?.rule.parameters?.from_value as { status_code: number } | undefined
    if (value) return value.status_code
    const isUsed = cloudflare.rules.some(({ phase }) => phase === 'http_request_redirect')
    return isUsed ? cloudflare.lists[0]?.redirects[0]?.status : undefined
  }
  const redirecting: Redirecting = {
    mediaHost: HOST,
    status,
    known: knownMedia(local),
    switchedOn: true,
    local,
  }
  const add = (phase: RulePhase, ...rules: Rule[]) => {
    const place = phase === 'http_request_redirect' ? ACCOUNT : setupOf().zone.id
    cloudflare.rules = [...cloudflare.rules, ...rules.map((rule) => ({ place, phase, rule }))]
  }
  return { world, edge, redirecting, add, refs: () => cloudflare.rules.map(({ rule }) => rule.ref) }
}

/** Media on disk, as many files as keys. */
export function onDisk(keys: readonly string[], mode = 0o644): MediaSource {
  const file = (key: string) => ({ key, size: 3, changedAt: 0, mode })
  return {
    kind: 'local',
    name: '/media',
    async *files({ newestFirst } = {}) {
      const sorted = [...keys].sort()
      yield (newestFirst ? sorted.reverse() : sorted).map(file)
    },
    find: async (key) => (keys.includes(key) ? file(key) : undefined),
    read: async () => new Uint8Array(3),
  }
}
