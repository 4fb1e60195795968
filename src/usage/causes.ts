import { count, counted } from '../core/amounts.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import type { Usage } from '../plan/report-usage.ts'
import { SHOWN_DAYS } from './requests.ts'

/** What was seen of some requests, and what may be done about it. */
export interface Cause {
  readonly fact: string
  readonly advice: Text
}

type Operation = NonNullable<Usage['analytics']>['operations'][number]
type Stored = Usage['stored']

/** Fewer requests than that in thirty days cost less than a cent. */
const WORTH = 10_000
const PAGE = 1000

/** Why the dearest requests come about, as far as the numbers tell; none where nothing stands out. */
export function causesOf(operations: readonly Operation[], stored: Stored): Cause[] {
  const own = (action: string) => {
    const row = operations.find((one) => one.action === action)
    return row === undefined ? 0 : row.requests - row.elsewhere
  }
  const found = [
    lists(own('ListObjects'), stored),
    heads(own('HeadObject'), stored),
    misses(operations.find(({ action }) => action === 'GetObject')),
    uploads(own('PutObject'), stored),
  ]
  return found.filter((cause) => cause !== undefined)
}

function lists(requests: number, { objects }: Stored): Cause | undefined {
  const whole = Math.max(1, Math.ceil(objects / PAGE))
  const aDay = requests / SHOWN_DAYS / whole
  if (requests < WORTH || aDay < 2) return undefined
  return {
    fact: `ListObjects: ${count(requests)} in ${SHOWN_DAYS} days. A list of the whole bucket takes ${count(whole)}, so that is the bucket ${count(Math.round(aDay))} times a day.`,
    advice:
      'A backup or a sync that lists folder by folder does this: Mastodon makes about three folders for each file. With rclone --fast-list it is one request for a thousand objects. Mastodon itself lists for tootctl media remove-orphans alone.',
  }
}

function heads(requests: number, { objects }: Stored): Cause | undefined {
  if (requests < WORTH || requests < objects) return undefined
  const each = Math.round(requests / Math.max(objects, 1))
  return {
    fact: `HeadObject: ${count(requests)} in ${SHOWN_DAYS} days, ${counted(each, 'time')} for each object that is stored.`,
    advice:
      'A copy or backup that compares times asks for the head of every object. rclone needs none with --size-only or --checksum.',
  }
}

function misses(gets: Operation | undefined): Cause | undefined {
  const { requests = 0, notFound = 0 } = gets ?? {}
  if (notFound < WORTH || notFound < requests / 20) return undefined
  const share = Math.round((100 * notFound) / requests)
  return {
    fact: `GetObject: ${count(notFound)} of ${count(requests)} found nothing (404), ${share} %. Each is a read.`,
    advice: prose`Others ask for media that was deleted, or that was never copied here. Cloudflare keeps a 404 for three minutes at most. While the old media is still at its place, this tells what was not copied: ${toType('migrate', { stage: 'compare' })}`,
  }
}

function uploads(requests: number, { objects, kinds }: Stored): Cause | undefined {
  const others = kinds
    .filter(({ class: name }) => /^(cached|previewCards)/.test(name))
    .reduce((all, kind) => all + kind.objects, 0)
  if (requests < WORTH || others * 2 < objects) return undefined
  const share = Math.round((100 * others) / objects)
  return {
    fact: `PutObject: ${count(requests)} in ${SHOWN_DAYS} days, ${count(Math.round(requests / SHOWN_DAYS))} a day. ${share} % of the objects are media of other servers.`,
    advice:
      'Each file of theirs is an upload here. Fewer relays make it fewer; removing files sooner does not.',
  }
}
