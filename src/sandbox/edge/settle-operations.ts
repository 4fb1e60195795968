import type { EdgeState, SandboxOperation } from './state.ts'

/** Carries out what is due by now; milliseconds since the epoch. */
export function settleOperations(edge: EdgeState, now: number): void {
  for (const operation of edge.operations) {
    const due = operation.startedAt + edge.operationMs
    if (operation.outcome === undefined && due <= now) operation.outcome = carryOut(edge, operation)
  }
}

function carryOut(edge: EdgeState, operation: SandboxOperation): SandboxOperation['outcome'] {
  const at = operation.startedAt + edge.operationMs
  const list = edge.lists.find(({ id }) => id === operation.listId)
  if (list === undefined) return { at, error: 'the list does not exist' }
  const { remove, add } = operation
  const kept = remove === 'all' ? [] : list.items.filter(({ id }) => !remove.includes(id))
  const taken = add.find((item) => kept.some(({ sourceUrl }) => sourceUrl === item.sourceUrl))
  if (taken !== undefined) return { at, error: `duplicate of the source URL ${taken.sourceUrl}` }
  const others = edge.lists.filter(
    ({ id, accountId }) => id !== list.id && accountId === list.accountId,
  )
  const total = [...others.flatMap(({ items }) => items), ...kept, ...add].length
  if (total > edge.limits.redirects) return { at, error: 'exceeded the maximum number of items' }
  list.items = [...kept, ...add]
  list.updatedAt = at
  return { at }
}
