/** The web server's own opinion about a piece of its configuration, in a scratch one; nothing live is touched. */
export interface WebServerPort {
  check(kind: WebServer, piece: string): Promise<Opinion>
}

export type WebServer = 'nginx' | 'caddy'

export type Opinion =
  | { readonly is: 'good' }
  /** Its words, one line. */
  | { readonly is: 'bad'; readonly said: string }
  /** Not on this machine, or it could not say. */
  | { readonly is: 'unknown'; readonly why: string }
