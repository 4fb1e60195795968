import { Problem } from '../../core/problem.ts'
import type { Check, Verdict } from '../../plan/verdict.ts'
import { findDoor, type StorageAt } from './storage-door.ts'

const SKEW = {
  matters: 'R2 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed).',
  next: 'sudo timedatectl set-ntp true',
}

/** This machine's clock against R2's, which even a refused request tells. */
export const clockSkewCheck: Check<keyof StorageAt | 'clock'> = {
  id: 'storage-clock',
  about: 'storage',
  title: 'Clock',
  cost: 'look',
  async look(at): Promise<Verdict[]> {
    const door = findDoor(at)
    if (door.is === 'shut') return [{ severity: 'skipped', saw: `not tried: ${door.because}` }]
    const theirs = await door.hasty.serverTime().catch(nothingIfRefused)
    if (theirs === undefined) return [{ severity: 'skipped', saw: 'R2 did not tell the time' }]
    const seconds = Math.round((at.clock.now().getTime() - theirs.getTime()) / 1000)
    const off = Math.abs(seconds)
    if (off < 60) return [{ severity: 'ok', saw: 'right within a minute' }]
    const amount = off < 120 ? `${off} s` : `${Math.round(off / 60)} min`
    const saw = `This machine's clock is ${amount} ${seconds > 0 ? 'fast' : 'slow'}.`
    const severity = off > 15 * 60 ? 'fault' : off > 5 * 60 ? 'warning' : 'note'
    return [{ severity, saw, ...SKEW }]
  },
}

/** A bucket that can't be reached at all is told by its own check. */
function nothingIfRefused(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error
}
