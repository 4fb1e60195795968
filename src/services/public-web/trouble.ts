import { Problem } from '../../core/problem.ts'

/** What the network did to a visitor, for the admin. Bugs come back as they are. */
export function toProblem(error: unknown, url: URL): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error
  const code = codeOf(error)
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return new Problem({
      code: 'web-timeout',
      what: `${url.host} did not answer in time.`,
      why: 'The connection was begun, and nothing or only a part came back.',
      next: `Try \`curl -v ${url.origin}\`, and run this again.`,
    })
  }
  if (code === undefined) return error
  if (isTls(code)) {
    return new Problem({
      code: 'web-tls',
      what: `No trusted HTTPS connection to ${url.host} came about.`,
      why: `The connection ended with ${code}. A new domain may have no certificate yet, or something stands in between.`,
      next: 'Wait some minutes and run this again. If it stays, look at the custom domain of the bucket in the Cloudflare dashboard: its certificate must be active.',
    })
  }
  return new Problem({
    code: 'web-refused',
    what: `${url.host} could not be reached.`,
    why: `The connection ended with ${code}.`,
    next: `Try \`curl -v ${url.origin}\`. If that works elsewhere, a firewall of this machine is in the way.`,
  })
}

/** Where several addresses were tried, the errors are inside. */
function codeOf(error: Error): string | undefined {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const { code } = first as NodeJS.ErrnoException
  return typeof code === 'string' ? code : undefined
}

function isTls(code: string): boolean {
  return (
    /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|SSL|TLS|EPROTO/.test(code) ||
    code === 'HOSTNAME_MISMATCH'
  )
}
