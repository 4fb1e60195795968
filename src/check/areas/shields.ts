import type { Check } from '../../plan/verdict.ts'
import type { VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visited.ts'

/** Headers that Mastodon's own nginx gives to media, and that R2 does not (its dist/nginx.conf). */
const SHIELDS = [
  ['x-content-type-options', 'X-Content-Type-Options: nosniff', /^nosniff$/i],
  ['content-security-policy', "Content-Security-Policy: default-src 'none'", /default-src 'none'/i],
] as const

/** What keeps an uploaded file from being run as a page. */
export function shieldsCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-shields',
    title: 'Protective headers',
    judge({ plain }) {
      const missing = SHIELDS.filter(
        ([name, , form]) => !plain.header(name).some((value) => form.test(value)),
      ).map(([, line]) => line)
      if (missing.length === 0) {
        return [{ severity: 'ok', saw: 'nosniff and Content-Security-Policy are there' }]
      }
      return [
        {
          severity: 'note',
          saw: `Media comes without ${missing.join(' and ')}.`,
          matters:
            "Mastodon's own web server sends them, so that a file dressed up as an image can't act as a page. Your instance lives on another host name, which already limits the harm.",
          next: 'npx mastodon-r2 init --edge security-headers',
        },
      ]
    },
  })
}
