/** One of several walks through the same tree that give each file once between them. */
export interface WalkShare {
  /** From 0. */
  readonly index: number
  readonly of: number
}

/** What an entry is to one walk; `way`: a folder that every walk goes through. */
export type Part = 'own' | 'way' | 'others'

/** Folders below two id partitions (`…/112/345/`) are many and small: they are dealt out. */
const DEALT = /(?:^|\/)\d{3}\/\d{3}\/$/
const PARTITION = /^\d{3}\/$/

/**
 * The key alone decides, so that walks agree also where the tree changes under them: a folder of ids
 * belongs to one walk with all that it holds, what lies above those folders to the first.
 */
export function partOf(prefix: string, name: string, { index, of }: WalkShare): Part {
  if (!name.endsWith('/')) return index === 0 ? 'own' : 'others'
  if (!PARTITION.test(name) || !DEALT.test(prefix)) return 'way'
  return Number(name.slice(0, 3)) % of === index ? 'own' : 'others'
}
