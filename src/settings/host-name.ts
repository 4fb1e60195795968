import { domainToASCII } from 'node:url'
import * as z from 'zod'
import type { Tidied } from './setting.ts'

/** Leaves a bare host name: scheme, path, port, trailing dot, upper case, accents. */
export function tidyHost(typed: string): Tidied {
  const notes: string[] = []
  let text = typed.trim()
  const put = (next: string, note: string) => {
    if (next !== text) notes.push(note)
    text = next
  }
  put(text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, ''), 'left out the scheme')
  put(text.replace(/[/?#].*$/s, ''), 'left out the path')
  put(text.replace(/:\d+$/, ''), 'left out the port')
  put(text.replace(/\.+$/, ''), 'left out the trailing dot')
  put(text.toLowerCase(), 'changed to lower case')
  if ([...text].some((char) => char > '\u007f')) {
    const ascii = domainToASCII(text)
    if (ascii !== '') put(ascii, `written as punycode: ${ascii}`)
  }
  return { text, notes }
}

/** A host name that DNS, TLS and every reader of env files agree on. */
export const hostName = z.string().superRefine((host, context) => {
  const fault = hostFault(host)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

function hostFault(host: string): string | undefined {
  if (host === '') return 'is empty; type a host such as files.example.com'
  if (/\s/.test(host)) return `has a space in it; did you mean ${host.replaceAll(/\s+/g, '')}?`
  if (host.includes('_')) {
    return `has an underscore, which host names can't have; did you mean ${host.replaceAll('_', '-')}?`
  }
  if (host.includes('*')) return 'is a wildcard; name one host, such as files.example.com'
  if (host.includes('@')) return 'looks like a mail address or a handle; type a host'
  if (/^\d+(\.\d+){3}$/.test(host) || host.includes(':')) {
    return 'is an IP address; media needs a host name in a domain that Cloudflare serves'
  }
  if (!host.includes('.')) return `has no dot; did you mean ${host}.example.com?`
  if (host.length > 253) return 'is longer than 253 characters'
  const labels = host.split('.')
  if (labels.some((label) => label === '')) return 'has two dots in a row, or starts with one'
  if (labels.some((label) => label.length > 63)) return 'has a part longer than 63 characters'
  const bad = labels.find((label) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))
  if (bad !== undefined) {
    return `has the part "${bad}"; parts are letters, digits and hyphens, no hyphen at an end`
  }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'ends in a number, which no domain does'
  return undefined
}
