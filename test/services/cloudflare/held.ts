import { sendRequest } from '../../../src/core/send-request.ts'
import type { Send } from '../../../src/services/cloudflare/wire.ts'
import { checkRequest } from '../../contract/validate.ts'

/** Sends every request, and tells what is not in it as Cloudflare's own description has it. */
export function heldAgainstTheDescription(tell: (faults: readonly string[]) => void): Send {
  return (url, request) => {
    const { method, headers, body } = request
    const told = body === undefined ? undefined : JSON.parse(body)
    tell(checkRequest(method, url.pathname, url.searchParams, { ...headers }, told))
    return sendRequest(url, request)
  }
}
