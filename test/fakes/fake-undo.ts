import type { EnvTrace, Undo, UndoWishes } from '../../src/setup/undoing.ts'
import { envFileOf } from './fake-world.ts'

export const clean: EnvTrace = {
  role: 'main',
  file: envFileOf('LOCAL_DOMAIN=example.com\n'),
  restoration: { is: 'clean' },
}

/** An undo whose env files are `traces`; what is set aside is written down in `aside`. */
export function undoOf(
  wishes: Partial<UndoWishes> = {},
  { inUse = false, traces = [clean] }: { inUse?: boolean; traces?: readonly EnvTrace[] } = {},
) {
  const aside: string[] = []
  const undo: Undo = {
    wishes: {
      detachDomain: false,
      deleteEmptyBucket: false,
      evenIfInUse: false,
      dropEdgeRules: false,
      ...wishes,
    },
    inUse,
    traces: async () => traces,
    async removeFile({ path }) {
      aside.push(path)
      return { backup: `${path}.backup` }
    },
  }
  return { ...undo, aside }
}
