/** What a handler answers: the parts of Cloudflare's v4 envelope or of GraphQL's, and the HTTP status. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Envelope | GraphqlEnvelope
}

interface GraphqlEnvelope {
  readonly data: unknown
  readonly errors: readonly object[] | null
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

/**
 * Why the API says no: HTTP status, error code, message. Codes from 19000 up are the sandbox's own:
 * Cloudflare has a code there too, but which one is not known, so nothing may rely on it.
 * Known ones: R2 from docs r2/api/error-codes, the rest from issue threads and wrangler's source.
 */
const reasons = {
  'bad-body': [400, 19002, 'The request body is not valid JSON.'],
  'no-token': [400, 9106, 'Authentication failed: no API token in the Authorization header.'],
  'unknown-token': [401, 9106, 'Authentication failed: the API token is not recognised.'],
  'refused-token': [403, 10000, 'Authentication error'],
  'not-permitted': [403, 9109, 'Unauthorized to access requested resource'],
  'r2-not-permitted': [403, 10000, 'Authentication error'],
  'token-invalid': [401, 1000, 'Invalid API Token'],
  'token-missing': [400, 1001, 'Missing API Token'],
  'bad-id': [404, 7003, 'Could not route to the path; an object identifier in it is invalid.'],
  'no-route': [400, 7000, 'No route for that URI'],
  'bad-method': [405, 19003, 'The method is not available for that URI.'],
  'bad-query': [400, 19001, 'A query parameter is not valid.'],

  'bucket-exists': [409, 10004, 'The bucket you tried to create already exists, and you own it.'],
  'bucket-name': [400, 10005, 'The specified bucket name is not valid.'],
  'no-bucket': [404, 10006, 'The specified bucket does not exist.'],
  'bucket-not-empty': [409, 10008, 'The bucket you tried to delete is not empty.'],
  'too-many-buckets': [400, 10009, 'You have attempted to create more buckets than are allowed.'],
  'storage-class': [400, 10040, 'The storage class specified is not valid.'],
  'r2-not-enabled': [403, 10042, 'Please enable R2 through the Cloudflare Dashboard.'],
  'no-cors': [404, 10059, 'The CORS configuration does not exist.'],
  jurisdiction: [400, 19010, 'The jurisdiction is not valid.'],
  'location-hint': [400, 19011, 'The location hint is not valid.'],
  cors: [400, 19012, 'The CORS policy is not valid.'],
  lifecycle: [400, 19013, 'The lifecycle configuration is not valid.'],

  'domain-body': [400, 19020, 'The custom domain settings are not valid.'],
  'zone-id': [400, 19021, 'The zone ID is not valid for this account and domain.'],
  'zone-inactive': [400, 19022, 'The zone is not active.'],
  'host-has-record': [409, 19023, 'A DNS record for this host exists already.'],
  'domain-attached': [409, 19024, 'The domain is attached to a bucket already.'],
  'no-domain': [404, 19025, 'The custom domain is not attached to this bucket.'],
  'too-many-domains': [400, 19026, 'The bucket has as many custom domains as are allowed.'],

  'slurper-body': [400, 19040, 'The migration job is not valid.'],
  'slurper-too-many': [409, 19041, 'The number of concurrent jobs has been reached.'],
  'slurper-state': [409, 19042, 'The job is not in the state for this.'],
  'no-slurper-job': [404, 19043, 'The job does not exist.'],

  'no-entrypoint': [404, 10003, 'could not find entrypoint ruleset in the phase'],
  'no-ruleset': [404, 19060, 'could not find the ruleset'],
  'no-rule': [404, 19061, 'could not find the rule'],
  'ruleset-phase': [400, 19062, 'the phase is not valid here'],
  'ruleset-kind': [400, 20217, 'the value is not valid for kind because exceeded'],
  'rule-body': [400, 19063, 'the rule is not valid:'],
  'rule-expression': [400, 19064, 'filter parsing error:'],
  'rule-limit': [400, 19065, 'exceeded the maximum number of rules in the phase:'],
  'not-entitled': [403, 19066, 'not entitled to this with the plan:'],

  'list-body': [400, 19070, 'the list is not valid:'],
  'list-exists': [400, 19071, 'a list with this name already exists'],
  'too-many-lists': [400, 19072, 'exceeded the maximum number of lists'],
  'no-list': [404, 19073, 'could not find the list'],
  'list-in-use': [400, 19074, 'the list is used by a rule'],
  'list-items': [400, 19075, 'the items are not valid:'],
  'list-busy': [429, 19076, 'there is an outstanding bulk operation in the account'],
  'no-operation': [404, 19077, 'could not find the operation'],
  'purge-body': [400, 19081, 'the purge is not valid:'],
  'cache-switch': [400, 19080, 'the value must be on or off'],

  'token-name': [400, 400, 'The token name must have 1 to 120 characters.'],
  'token-body': [400, 1001, 'The token settings are not valid.'],
  'token-policy': [400, 1001, 'Failed common permission check against resources'],
  'no-such-token': [404, 19030, 'The token does not exist.'],
} as const satisfies Record<string, readonly [number, number, string]>

export type Reason = keyof typeof reasons

/** Thrown by handlers. `detail` is added to the message. */
export class Refusal extends Error {
  readonly reason: Reason
  readonly answer: Answer

  constructor(reason: Reason, detail?: string) {
    const [status, code, text] = reasons[reason]
    const message = detail === undefined ? text : `${text} ${detail}`
    super(message)
    this.name = 'Refusal'
    this.reason = reason
    this.answer = failure(status, code, message)
  }
}
