import { Problem } from '../../core/problem.ts'

const TRIES = 3

/**
 * Creates something that must not be made twice. When the answer is lost, looks whether it is there
 * before sending again.
 */
export async function createAndLook(thing: {
  create: () => Promise<unknown>
  isThere: () => Promise<boolean>
}): Promise<'created' | 'exists'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await thing.create()
      return 'created'
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'cloudflare-answer-lost') throw error
      if (await thing.isThere()) return 'exists'
      if (attempt === TRIES) throw error
    }
  }
}
