/** What an anonymous browser sees. Refusals of the network are Problems with code `web-<reason>`. */
export interface PublicWebPort {
  /** No redirects followed, no cache, TLS verified. Codes: web-dns, web-tls, web-timeout, web-refused. */
  fetch(url: string, request?: WebRequest): Promise<WebResponse>
}

export interface WebRequest {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
}

export interface WebResponse {
  readonly status: number
  /** Every value of a header, in order; an empty list when it was not sent. */
  header(name: string): string[]
  readonly body: Uint8Array
}

/** curl's `--connect-to HOST:PORT:ADDR:PORT`; an empty host or port matches any. */
export interface ConnectTo {
  readonly host: string
  readonly port: string
  readonly toHost: string
  readonly toPort: string
}
