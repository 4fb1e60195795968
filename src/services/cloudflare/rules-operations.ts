import { Problem } from '../../core/problem.ts'
import type { Call } from './client.ts'
import { Refusal } from './refusal.ts'

/** A change of a list: what of it is still to be done, and how that is asked for. */
export interface ListChange<Wish> {
  left(): Promise<readonly Wish[]>
  /** Returns the id of the operation that Cloudflare began. */
  send(wishes: readonly Wish[]): Promise<string>
}

export type Operations = ReturnType<typeof operations>

/** Milliseconds. */
const PAUSE = 1_000
const BUSY_PAUSE = 5_000
const DEADLINE = 10 * 60_000

/**
 * Changes of lists run at Cloudflare by themselves, one at a time in an account (another one is
 * refused with 429). They are waited for: ten minutes altogether.
 */
export function operations(call: Call, sleep: (ms: number) => Promise<void>) {
  /** Undefined when it is done, else Cloudflare's word for what went wrong. */
  async function outcomeOf(accountId: string, id: string, wait: Wait): Promise<string | undefined> {
    for (;;) {
      const told = await call('repeatable', (sdk) =>
        sdk.rules.lists.bulkOperations.get(id, { account_id: accountId }),
      )
      if (told.status === 'completed') return undefined
      if (told.status === 'failed') return told.error || 'no reason given'
      await wait(PAUSE)
    }
  }

  return {
    /**
     * Looks, asks for what is left and waits until it is done. An answer that got lost and a failure
     * are looked into: when nothing is left, all is well. Throws Problem `cloudflare-list-busy`,
     * `cloudflare-list-refused`.
     */
    async carryOut<Wish>(accountId: string, { left, send }: ListChange<Wish>): Promise<void> {
      const wait = createWait(sleep)
      let failure: string | undefined
      for (;;) {
        const wishes = await left()
        if (wishes.length === 0) return
        if (failure !== undefined) throw refused(failure)
        try {
          failure = await outcomeOf(accountId, await send(wishes), wait)
          if (failure === undefined) return
        } catch (error) {
          if (!(error instanceof Problem) || !isPassing(error)) throw error
          await wait(BUSY_PAUSE)
        }
      }
    },
  }
}

type Wait = (ms: number) => Promise<void>

/** Sleeps; throws once it has slept for as long as all of this may take. */
function createWait(sleep: (ms: number) => Promise<void>): Wait {
  let slept = 0
  return async (ms) => {
    if (slept >= DEADLINE) throw busy()
    slept += ms
    await sleep(ms)
  }
}

function isPassing(error: Problem): boolean {
  return (
    error.code === 'cloudflare-answer-lost' || (error instanceof Refusal && error.status === 429)
  )
}

function busy(): Problem {
  return new Problem({
    code: 'cloudflare-list-busy',
    what: 'Cloudflare is still busy with a change of a list.',
    why: 'Only one runs in an account at a time, and it was waited for over ten minutes.',
    next: 'Look at https://dash.cloudflare.com/?to=/:account/configurations/lists, and run this again later: it goes on from what it finds.',
  })
}

function refused(said: string): Problem {
  return new Problem({
    code: 'cloudflare-list-refused',
    what: 'Cloudflare did not carry out a change of a redirect list.',
    why: `It says: ${said.replaceAll(/[\p{C}\s]+/gu, ' ').slice(0, 400)}.`,
    next: 'Look at the list at https://dash.cloudflare.com/?to=/:account/configurations/lists: a source URL can be in it once only. Then run this again.',
  })
}
