import type { EnvTrace, Redirected, Undo, UndoWishes } from '../../src/setup/undoing.ts'
import { envFileOf } from './fake-world.ts'

export const clean: EnvTrace = {
  role: 'main',
  file: envFileOf('LOCAL_DOMAIN=example.com\n'),
  restoration: { is: 'clean' },
}

interface Situation {
  readonly inUse?: boolean
  readonly traces?: readonly EnvTrace[]
  readonly redirected?: Partial<Redirected>
}

/** An undo whose env files are `traces`; what is set aside is written down in `aside`. */
export function undoOf(
  wishes: Partial<UndoWishes> = {},
  { inUse = false, traces = [clean], redirected = {} }: Situation = {},
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
    redirects: async () => ({ to: [], from: [], unseen: [], ...redirected }),
    async removeFile({ path }) {
      aside.push(path)
      return { backup: `${path}.backup` }
    },
  }
  return { ...undo, aside }
}
