import type { Facts, Rotation, Setup } from '../../src/plan/step.ts'
import type { KeyLimits, MintedKey } from '../../src/services/cloudflare/port.ts'
import {
  ENV,
  envFileOf,
  HOST,
  installationOf,
  knownKey,
  mintedKey,
  setupOf,
  worldOf,
} from '../fakes/fake-world.ts'

const TAIL = `example-media ${HOST} 2026-01-01`
export const IN_USE = `mastodon-r2 ${TAIL} aaaaaa`
export const RETIRING = `mastodon-r2-retiring ${TAIL} bbbbbb`
export const PENDING = `mastodon-r2-setup ${TAIL} cccccc`
export const freshKey = { ...mintedKey, accessKeyId: 'f'.repeat(32) }
export const written = { file: ENV, backup: `${ENV}.bak`, changed: [], diff: [] }

const limits: KeyLimits = { only: setupOf().at, allowIps: [], refuseIps: [] }

export function keyOf(name: string, more: Partial<MintedKey> = {}): MintedKey {
  return { id: knownKey.accessKeyId, name, status: 'active', limits, raw: null, ...more }
}

export function rotationOf(more: Partial<Rotation> = {}): Rotation {
  const envKey = keyOf(IN_USE)
  return { kind: 'begin', envKey, old: [envKey], stays: undefined, ...more }
}

/** A server that is set up, with its key known to the account. */
export function rotatingWorld(facts: Partial<Facts> = {}, setup: Partial<Setup> = {}) {
  const text = `AWS_ACCESS_KEY_ID=${knownKey.accessKeyId}\nAWS_SECRET_ACCESS_KEY=${'2'.repeat(64)}\n`
  const file = envFileOf(text)
  const named = (name: string, value: string) => [name, { value, from: ENV }] as const
  const installation = installationOf({
    envFile: file,
    envFiles: [file],
    settings: new Map([
      named('AWS_ACCESS_KEY_ID', knownKey.accessKeyId),
      named('AWS_SECRET_ACCESS_KEY', '2'.repeat(64)),
    ]),
  })
  const world = worldOf({ installation, knownKey, ...setup }, facts)
  world.cloudflare.keys = [keyOf(IN_USE)]
  return world
}
