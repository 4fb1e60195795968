import type { EdgeRule } from './edge-rule.ts'

const set = (value: string) => ({ operation: 'set', value })

/** The headers that Mastodon's own nginx example gives to media, and that R2 does not. */
export const securityHeaders: EdgeRule = {
  id: 'security-headers',
  title: 'Protective headers',
  phase: 'http_response_headers_transform',
  permission: 'response-headers',
  does: "send nosniff and Content-Security-Policy: default-src 'none' with media, so that a file dressed up as an image can't act as a page",
  ready: 'nosniff and Content-Security-Policy are set',
  of: ({ mediaHost }) => ({
    expression: `http.host eq "${mediaHost}"`,
    action: 'rewrite',
    parameters: {
      headers: {
        'X-Content-Type-Options': set('nosniff'),
        'Content-Security-Policy': set("default-src 'none'; form-action 'none'"),
      },
    },
  }),
}
