import type { EdgeState, SandboxTiering } from '../edge/state.ts'
import { type Answer, ok } from './envelope.ts'
import { Refusal } from './refusal.ts'
import { bodyObject, type Handler, param } from './request.ts'

type Switch = 'tiered' | 'smart'

const ids: Readonly<Record<Switch, string>> = {
  tiered: 'tiered_caching',
  smart: 'tiered_cache_smart_topology_enable',
}

export const getTieredCache = read('tiered')
export const setTieredCache = write('tiered')
export const getSmartTieredCache = read('smart')
export const setSmartTieredCache = write('smart')

function read(name: Switch): Handler {
  return ({ world }, request) => shown(name, switchesOf(world.edge, param(request, 'zone')))
}

function write(name: Switch): Handler {
  return ({ world }, request) => {
    const { value } = bodyObject(request)
    if (value !== 'on' && value !== 'off') throw new Refusal('cache-switch')
    const switches = switchesOf(world.edge, param(request, 'zone'))
    switches[name] = value
    return shown(name, switches)
  }
}

/** Both are off in a new zone. */
function switchesOf({ tiering }: EdgeState, zoneId: string): SandboxTiering {
  const found = tiering.find((known) => known.zoneId === zoneId)
  if (found) return found
  const fresh: SandboxTiering = { zoneId, tiered: 'off', smart: 'off' }
  tiering.push(fresh)
  return fresh
}

function shown(name: Switch, switches: SandboxTiering): Answer {
  const modified_on = '2024-01-01T00:00:00.000000Z'
  return ok({ id: ids[name], value: switches[name], editable: true, modified_on })
}
