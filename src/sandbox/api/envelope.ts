/** What a handler answers: the parts of Cloudflare's v4 envelope, and the HTTP status. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Envelope
}

interface Envelope {
  readonly success: boolean
  readonly errors: readonly Message[]
  readonly messages: readonly (Message | string)[]
  readonly result: unknown
  readonly result_info?: unknown
}

interface Message {
  readonly code: number
  readonly message: string
}

/** Success. `T` is the SDK's type of that endpoint's result, so that the compiler holds them equal. */
export function ok<T>(result: T, more: { info?: object; messages?: Message[] } = {}): Answer {
  const { info, messages = [] } = more
  const body = { success: true, errors: [], messages, result }
  return { status: 200, headers: {}, body: info ? { ...body, result_info: info } : body }
}

export function failure(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const errors = [{ code, message }]
  return { status, headers, body: { success: false, errors, messages: [], result: null } }
}
