import type { CNAMERecord, RecordResponse } from 'cloudflare/resources/dns/records'
import type { SandboxDnsRecord } from '../world.ts'
import { type Handler, page, param } from './request.ts'

/** Records of a zone by name, type and content; names compare without case. */
export const listDnsRecords: Handler = ({ world }, request) => {
  const tests = Object.entries(filters).flatMap(([parameter, test]) => {
    const wanted = request.query.get(parameter)?.toLowerCase()
    return wanted === undefined ? [] : [(record: SandboxDnsRecord) => test(record, wanted)]
  })
  const all = request.query.get('match') !== 'any' || tests.length === 0
  const records = world.dnsRecords
    .filter(({ zoneId }) => zoneId === param(request, 'zone'))
    .filter((record) => tests[all ? 'every' : 'some']((test) => test(record)))
  return page<RecordResponse>(request, records.map(describe), { fallback: 100, min: 1, max: 5000 })
}

type Filter = (record: SandboxDnsRecord, wanted: string) => boolean

const filters: Readonly<Record<string, Filter>> = {
  name: ({ name }, wanted) => name.toLowerCase() === wanted,
  'name.exact': ({ name }, wanted) => name.toLowerCase() === wanted,
  'name.contains': ({ name }, wanted) => name.toLowerCase().includes(wanted),
  'name.startswith': ({ name }, wanted) => name.toLowerCase().startsWith(wanted),
  'name.endswith': ({ name }, wanted) => name.toLowerCase().endsWith(wanted),
  type: ({ type }, wanted) => type.toLowerCase() === wanted,
  content: ({ content }, wanted) => content.toLowerCase() === wanted,
  'content.exact': ({ content }, wanted) => content.toLowerCase() === wanted,
}

function describe(record: SandboxDnsRecord): RecordResponse {
  const { id, name, type, content, proxied } = record
  const created = '2024-01-01T00:00:00.000000Z'
  return {
    id,
    name,
    type: type as CNAMERecord['type'],
    content,
    proxied,
    proxiable: ['A', 'AAAA', 'CNAME'].includes(type),
    ttl: 1,
    settings: {},
    comment: '',
    tags: [],
    meta: {},
    created_on: created,
    modified_on: created,
  }
}
