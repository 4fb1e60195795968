import type { Fault } from '../world.ts'
import { answer, type Incoming } from './answer.ts'
import { type Answer, failure } from './envelope.ts'
import type { ApiContext } from './request.ts'

/** What happens on the wire. */
export type Outcome =
  | {
      readonly is: 'answer'
      readonly status: number
      readonly headers: Headers
      readonly text: string
    }
  | { readonly is: 'reset' }
  | { readonly is: 'hang' }

type Headers = Readonly<Record<string, string>>

/**
 * One request below `/client/v4` and what the fault makes of it. `applied-then-reset` and
 * `malformed` carry the request out; the other faults do not.
 */
export async function exchange(
  context: ApiContext,
  incoming: Incoming,
  fault: Fault | undefined,
): Promise<Outcome> {
  if (fault === undefined) return onWire(await answer(context, incoming))
  switch (fault.kind) {
    case 'hang':
    case 'reset':
      return { is: fault.kind }
    case 'applied-then-reset':
      await answer(context, incoming)
      return { is: 'reset' }
    case 'malformed': {
      const { body } = await answer(context, incoming)
      const text = JSON.stringify(body)
      return { is: 'answer', status: 200, headers: {}, text: text.slice(0, text.length / 2) }
    }
    case 'unsuccessful':
      return onWire(failure(200, 10001, message))
    case 'status':
      return onWire(statusAnswer(fault))
    default:
      return fault.kind satisfies never
  }
}

const message = 'The sandbox was asked to fail.'

/** Codes that go with a status when the fault names none. */
const codes: Readonly<Record<number, number>> = { 401: 10000, 403: 10000, 404: 7003, 503: 10043 }

function statusAnswer({ status = 500, code, headers = {} }: Fault): Answer {
  return failure(status, code ?? codes[status] ?? 10001, message, headers)
}

function onWire({ status, headers, body }: Answer): Outcome {
  return { is: 'answer', status, headers, text: JSON.stringify(body) }
}
