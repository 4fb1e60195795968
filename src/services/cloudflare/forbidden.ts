import type { Problem } from '../../core/problem.ts'

/**
 * Cloudflare's refusals of a token that lacks a permission: it says nothing about the setup. The
 * numbers are those of its common errors; 401 and 403 stand for answers without a number.
 */
export function isForbidden({ code }: Problem): boolean {
  return /^cloudflare-(9109|10000|1001|401|403)$/.test(code)
}
