import * as z from 'zod'

/** What `--edge recommended` stands for, in this order. */
const recommendedEdge = ['security-headers', 'cache-everything', 'private-folders'] as const

/** Everything that can be kept at the edge of the media host, by the names that `--edge` takes. */
export const edgeNames = [...recommendedEdge, 'tiered-cache'] as const

export type EdgeName = (typeof edgeNames)[number]

/** `recommended`, `none`, or names with commas between them → the names, each once. */
export const edgeWish = z.string().transform((value, context): EdgeName[] => {
  const words = value.split(/[,\s]+/).filter((word) => word !== '')
  if (words.length === 1 && words[0] === 'none') return []
  const wished = words.flatMap((word) => (word === 'recommended' ? recommendedEdge : [word]))
  const found = edgeNames.filter((name) => wished.includes(name))
  if (found.length > 0 && wished.every((word) => found.some((name) => name === word))) return found
  const message = `must be recommended, none, or some of ${edgeNames.join(', ')} with commas between them`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})
