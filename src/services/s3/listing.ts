import { Readable } from 'node:stream'
import type { ListObjectsV2Command, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { readCapped } from '../../core/capped.ts'
import { Cancelled } from '../../core/problem.ts'
import type { ListedObject } from './port.ts'

export interface Entry extends ListedObject {
  key: string
}

interface Answer {
  statusCode: number
  body: Readable
}

const [BEGIN, END] = ['<Contents>', '</Contents>']

/**
 * Reads the entries of a listing out of the answer, and leaves the SDK what is around them: its own
 * reading of a thousand entries takes ten times as long, and more memory than all the rest of a
 * comparison. Where the answer isn't written as usual, they are left to the SDK, and none come here.
 */
export function takeEntries(
  command: ListObjectsV2Command,
  tooMuch: () => Error,
): () => readonly Entry[] {
  let entries: readonly Entry[] = []
  command.middlewareStack.add(
    (next) => async (args) => {
      entries = []
      const result = await next(args)
      const answer = result.response as Answer
      if (answer.statusCode !== 200) return result
      const text = (await readCapped(answer.body, tooMuch)).toString()
      const taken = taking(text)
      entries = taken?.entries ?? []
      answer.body = Readable.from([Buffer.from(taken?.rest ?? text)])
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'takeEntries' },
  )
  return () => entries
}

/** Undefined when this reader doesn't know the writing. */
export function taking(
  text: string,
): { readonly entries: Entry[]; readonly rest: string } | undefined {
  if (text.includes('<![CDATA[') || text.includes('<!--')) return undefined
  const entries: Entry[] = []
  let rest = ''
  let at = 0
  for (;;) {
    const begin = text.indexOf(BEGIN, at)
    if (begin === -1) return { entries, rest: rest + text.slice(at) }
    const end = text.indexOf(END, begin)
    if (end === -1) return undefined
    const entry = entryOf(text, begin, end)
    if (!entry) return undefined
    entries.push(entry)
    rest += text.slice(at, begin)
    at = end + END.length
  }
}

function entryOf(text: string, begin: number, end: number): Entry | undefined {
  const key = element(text, 'Key', begin, end)
  const size = Number(element(text, 'Size', begin, end))
  const lastModified = Date.parse(element(text, 'LastModified', begin, end) ?? '')
  if (key === undefined || !Number.isSafeInteger(size) || Number.isNaN(lastModified))
    return undefined
  const etag = (element(text, 'ETag', begin, end) ?? '').replaceAll('"', '')
  return { key, size, etag, lastModified }
}

function element(text: string, name: string, begin: number, end: number): string | undefined {
  const from = text.indexOf(`<${name}>`, begin)
  if (from === -1 || from >= end) return undefined
  const start = from + name.length + 2
  return decoded(text.slice(start, text.indexOf('</', start)))
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decoded(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name] ?? whole
    return String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10))
  })
}

/** An answer of ListObjectsV2 with the entries that were read without the SDK. */
export interface ListPage {
  readonly answer: ListObjectsV2CommandOutput
  /** Names still as they were sent. */
  readonly entries: readonly Entry[]
}

/** One page of ListObjectsV2; `token` of the page before, undefined for the first. */
type Ask = (token: string | undefined, signal: AbortSignal) => Promise<ListPage>

/** `damaged` makes the error for a listing that would never end. */
export interface ReadPages {
  readonly signal?: AbortSignal | undefined
  damaged(): Error
}

/**
 * Every page in turn. The next one is asked for while its predecessor is worked on, and no more than
 * that. Whoever stops early ends the request under way. Throws what `ask` throws; Cancelled when the
 * signal is aborted.
 */
export async function* readPages(
  ask: Ask,
  { signal, damaged }: ReadPages,
): AsyncGenerator<readonly ListedObject[], void, undefined> {
  const end = new AbortController()
  const asked = signal ? AbortSignal.any([signal, end.signal]) : end.signal
  const begin = (token: string | undefined) => {
    const page = ask(token, asked)
    page.catch(() => undefined)
    return page
  }
  try {
    let token: string | undefined
    let coming: ReturnType<Ask> | undefined = begin(token)
    while (coming) {
      const page: ListPage = await coming
      if (signal?.aborted) throw new Cancelled()
      const { IsTruncated, NextContinuationToken } = page.answer
      const next = IsTruncated === true ? NextContinuationToken : undefined
      if (IsTruncated === true && (next === undefined || next === token)) throw damaged()
      token = next
      coming = next === undefined ? undefined : begin(next)
      const objects = objectsOf(page)
      if (objects.length > 0) yield objects
    }
  } catch (error) {
    throw signal?.aborted ? new Cancelled() : error
  } finally {
    end.abort()
  }
}

/** Keys are decoded where the server says that it encoded them, which it may leave undone. */
export function objectsOf({ answer, entries }: ListPage): readonly ListedObject[] {
  const { Contents = [], EncodingType } = answer
  const decode = EncodingType === 'url' ? decodeKey : (key: string) => key
  if (entries.length > 0) {
    for (const entry of entries) entry.key = decode(entry.key)
    return entries
  }
  return Contents.map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
    key: decode(Key),
    size: Size,
    etag: ETag.replaceAll('"', ''),
    lastModified: LastModified?.getTime() ?? 0,
  }))
}

/** As forms are encoded: `+` is a space (S3 does so), a real plus sign is `%2B`. */
function decodeKey(key: string): string {
  if (!/[%+]/.test(key)) return key
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
