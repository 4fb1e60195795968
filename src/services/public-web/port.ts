/** What an anonymous browser sees. Refusals of the network are Problems with code `web-<reason>`. */
export interface PublicWebPort {
  /**
   * No redirects followed, no cache, TLS verified. Codes: web-dns, web-tls, web-timeout, web-refused,
   * web-too-large, web-behind-proxy; where the proxy itself refuses, proxy-unreachable, proxy-refused.
   */
  fetch(url: string, request?: WebRequest): Promise<WebResponse>
  /** Addresses of a host, never none: web-dns then. Undefined where a proxy looks names up. */
  addresses(host: string): Promise<readonly string[] | undefined>
  /** The certificate that a host shows on port 443, trusted or not. */
  certificate(host: string): Promise<Certificate>
}

export interface Certificate {
  readonly validTo: Date
  /** Who issued it, e.g. `Google Trust Services`. */
  readonly issuer: string
  /** Why browsers refuse it, as Node names it, e.g. `CERT_HAS_EXPIRED`; undefined when trusted. */
  readonly fault: string | undefined
}

export interface WebRequest {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** It is sent behind this, over a connection that is made meanwhile; where this fails it is not sent. */
  readonly after?: Promise<unknown>
}

export interface WebResponse {
  readonly status: number
  /** Every value of a header, in order; an empty list when it was not sent. */
  header(name: string): string[]
  readonly body: Uint8Array
}
