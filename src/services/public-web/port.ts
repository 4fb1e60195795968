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
