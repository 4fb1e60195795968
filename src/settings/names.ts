import * as z from 'zod'
import type { Tidied } from './setting.ts'

/** R2's rule: 3 to 63 of a-z, 0-9 and hyphen, no hyphen at an end (wrangler's validation.ts). */
export const bucketName = z.string().superRefine((name, context) => {
  if (/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) return
  const suggestion = toBucketName(name)
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  context.addIssue({
    code: 'custom',
    message: `bucket names are 3 to 63 of a-z, 0-9 and "-", no "-" at an end${hint}`,
  })
})

export function tidyBucket(typed: string): Tidied {
  const text = typed.trim().toLowerCase()
  return { text, notes: text === typed.trim() ? [] : ['changed to lower case'] }
}

/**
 * The bucket's default name: `social.example.com` gives `social-example-com-media`. A domain that was
 * never written as punycode may have no letter that a bucket can have.
 */
export function bucketFor(domain: string): string {
  const stem = domain.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${stem.slice(0, 57).replaceAll(/^-+|-+$/g, '') || 'mastodon'}-media`
}

function toBucketName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')
  return name.length >= 3 ? name : undefined
}
