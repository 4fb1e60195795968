import { count } from '../../core/amounts.ts'
import type { SlurperTotal } from './jobs.ts'

/** Where Super Slurper stands, at most `width` characters; it tells no bytes. `perSecond`: objects. */
export function slurperLine(
  { objects, transferred, skipped, failed }: SlurperTotal,
  perSecond: number | undefined,
  width: number,
): string {
  const parts = [
    `Super Slurper: ${count(transferred)} of ${count(objects)} objects found so far`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(perSecond === undefined ? [] : [`${count(Math.round(perSecond))}/s`]),
    ...(skipped > 0 ? [`${count(skipped)} skipped`] : []),
  ]
  while (parts.length > 1 && parts.join(', ').length > width) parts.pop()
  return parts.join(', ').slice(0, width)
}
