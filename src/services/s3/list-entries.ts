import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ListObjectsV2Command } from '@aws-sdk/client-s3'
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
export function takeEntries(command: ListObjectsV2Command): () => readonly Entry[] {
  let entries: readonly Entry[] = []
  command.middlewareStack.add(
    (next) => async (args) => {
      entries = []
      const result = await next(args)
      const answer = result.response as Answer
      if (answer.statusCode !== 200) return result
      const text = (await buffer(answer.body)).toString()
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
