import type { Verdict } from '../../plan/verdict.ts'
import { type StorageSettings, settingCheck, shown } from './setting-check.ts'

const WORDS = /^when_(supported|required)$/i

/** What the AWS SDK inside Mastodon reads by itself; another word, or none, stops Mastodon. */
export const checksums = settingCheck({
  id: 'checksums',
  title: 'Checksum settings',
  judge({ value, remove }) {
    const names = ['AWS_REQUEST_CHECKSUM_CALCULATION', 'AWS_RESPONSE_CHECKSUM_VALIDATION']
    const said = names.filter((name) => value(name) !== undefined)
    const wrong = said.filter((name) => !WORDS.test(value(name) ?? ''))
    if (wrong.length === 0) {
      const saw = said.map((name) => value(name)).join(', ')
      return { severity: 'ok', saw: saw === '' ? 'not set' : saw }
    }
    return wrong.map((name) => ({
      severity: 'fault',
      saw: `${name} is "${shown(value(name) ?? '')}".`,
      matters: 'It may be WHEN_SUPPORTED or WHEN_REQUIRED; anything else makes each upload fail.',
      ...remove(name),
    }))
  },
})

const CURE = {
  matters:
    'The S3 client of Mastodon goes by http_proxy alone, for addresses with https, too. Where the proxy is the only way out, each upload fails, and all else looks well.',
  next: 'If uploads have to go through the proxy, set http_proxy for Mastodon to the same address, and restart it. Mastodon then asks other servers through it as well.',
}

/**
 * By what Ruby's net/http does, which looks the proxy of every address up as if it had no TLS
 * (findings/ruby-sdk-environment.sh). Values may hold a password: they are not shown.
 */
export const proxy = settingCheck({
  id: 'proxy',
  title: 'Proxy',
  judge({ value }, { behindProxy }): Verdict {
    const past = proxyOf(value) ? excepted(value) : undefined
    if (past !== undefined && behindProxy !== undefined) {
      const saw = `This run goes through the proxy ${behindProxy}; Mastodon's uploads do not, as its no_proxy names ${past}.`
      return { severity: 'warning', saw, ...EXCEPTED }
    }
    if (past !== undefined) return { severity: 'ok', saw: `no_proxy names ${past}` }
    if (proxyOf(value)) return { severity: 'ok', saw: 'uploads go by http_proxy' }
    const other = ['https_proxy', 'HTTPS_PROXY'].find((name) => (value(name) ?? '') !== '')
    if (other !== undefined) {
      const saw = `Mastodon is told ${other}, and no http_proxy: its uploads do not go through it.`
      return { severity: 'note', saw, ...CURE }
    }
    if (behindProxy !== undefined) {
      const saw = `This run goes through the proxy ${behindProxy}; Mastodon's settings, as seen here, have no http_proxy.`
      return { severity: 'warning', saw, ...CURE }
    }
    return { severity: 'ok', saw: 'none is set' }
  },
})

const EXCEPTED = {
  matters: 'Where the proxy is the only way out, each upload fails, and all else looks well.',
  next: 'If uploads have to go through the proxy, take that out of no_proxy for Mastodon, and restart it.',
}

/** The host of the bucket, where `no_proxy` names it as Ruby reads that: names or ends of names, no `*`. */
function excepted(value: StorageSettings['value']): string | undefined {
  const endpoint = value('S3_ENDPOINT') ?? ''
  if (!URL.canParse(endpoint)) return undefined
  const { hostname, port, protocol } = new URL(endpoint)
  const own = port || (protocol === 'http:' ? '80' : '443')
  const names = (value('no_proxy') ?? value('NO_PROXY') ?? '').matchAll(/([^:,\s]+)(?::(\d+))?/g)
  const isNamed = [...names].some(([, name = '', at = own]) => {
    return at === own && `.${hostname}`.endsWith(`.${name.replace(/^\./, '')}`.toLowerCase())
  })
  return isNamed ? hostname : undefined
}

/** An empty http_proxy hides HTTP_PROXY. */
function proxyOf(value: StorageSettings['value']): boolean {
  return (value('http_proxy') ?? value('HTTP_PROXY') ?? '') !== ''
}
