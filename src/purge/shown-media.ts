import { Problem } from '../core/problem.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'

/**
 * Addresses of media that Mastodon's own API shows for a post (`/api/v1/statuses/ID`) or an account
 * (`/api/v1/accounts/lookup`), as anybody may ask (Mastodon docs, methods). A boost has those of what it
 * boosts; what a link in a post shows is none of it. Problems: `post-not-shown`, `mastodon-api-odd`.
 */
export async function shownMedia(
  web: Pick<PublicWebPort, 'fetch'>,
  instanceHost: string,
  wanted: { readonly address: string } & (
    | { readonly kind: 'post'; readonly id: string }
    | { readonly kind: 'account'; readonly name: string }
  ),
): Promise<string[]> {
  const path =
    wanted.kind === 'post'
      ? `/api/v1/statuses/${wanted.id}`
      : `/api/v1/accounts/lookup?acct=${encodeURIComponent(wanted.name)}`
  const told = await ask(web, `https://${instanceHost}${path}`, wanted.address)
  const found =
    wanted.kind === 'account'
      ? textsIn(told, ['avatar', 'avatar_static', 'header', 'header_static'])
      : [told, told.reblog].flatMap(attachmentsOf)
  return [...new Set(found)]
}

type Fields = Readonly<Record<string, unknown>>

async function ask(
  web: Pick<PublicWebPort, 'fetch'>,
  url: string,
  address: string,
): Promise<Fields> {
  const answer = await web.fetch(url, { headers: { accept: 'application/json' } })
  if ([401, 403, 404, 410].includes(answer.status)) throw notShown(address, url, answer.status)
  const told = parse(new TextDecoder().decode(answer.body))
  if (answer.status !== 200 || told === undefined) throw odd(url, answer.status)
  return told
}

function parse(text: string): Fields | undefined {
  try {
    const told: unknown = JSON.parse(text)
    return isFields(told) ? told : undefined
  } catch {
    return undefined
  }
}

function attachmentsOf(status: unknown): string[] {
  const { media_attachments: attachments } = isFields(status) ? status : {}
  if (!Array.isArray(attachments)) return []
  return attachments.filter(isFields).flatMap((one) => textsIn(one, ['url', 'preview_url']))
}

function textsIn(fields: Fields, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = fields[name]
    return typeof value === 'string' && URL.canParse(value) ? [value] : []
  })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function notShown(address: string, url: string, status: number): Problem {
  return new Problem({
    code: 'post-not-shown',
    what: `Mastodon does not show ${address} to everybody.`,
    why: `${url} answers with status ${status}: it is gone, not public, or the instance shows nothing without a login. So nobody can tell here which media it has.`,
    next: 'Give the addresses of the media themselves: a moderator sees them in the post, and an e-mail or a report may name them.',
    exit: 2,
  })
}

function odd(url: string, status: number): Problem {
  return new Problem({
    code: 'mastodon-api-odd',
    what: "Mastodon's API gave no answer that can be read.",
    why: `${url} answers with status ${status}, and not with what Mastodon's docs describe.`,
    next: 'Try the address in a browser; once it shows JSON, run this again. Or give the addresses of the media themselves.',
    exit: 2,
  })
}
