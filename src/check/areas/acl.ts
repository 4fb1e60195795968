import { Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/storage-block.ts'
import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { S3Port } from '../../services/s3/port.ts'
import { insideCheck, type Open } from './inside.ts'
import type { StorageAt } from './storage-door.ts'

const NEXT = 'npx mastodon-r2 init (it sets S3_PERMISSION to nothing), then restart Mastodon'

/**
 * Uploads with the `x-amz-acl` that Mastodon sends for this S3_PERMISSION: `public-read` when it is
 * absent, none when it is empty (mastodon issue 20416; its config/initializers/paperclip.rb).
 */
export function aclCheck(open: Open): Check<keyof StorageAt | 'clock'> {
  return insideCheck<'clock' | 'installation'>(open, {
    id: 'storage-acl',
    title: 'Upload with ACL',
    cost: 'probe',
    async inside({ s3 }, { clock, installation }) {
      const acl = installation.settings.get('S3_PERMISSION')?.value ?? 'public-read'
      if (acl === '') return [{ severity: 'ok', saw: 'S3_PERMISSION is empty: no ACL is sent' }]
      if (!/^[\x21-\x7e]{1,64}$/.test(acl)) {
        return [{ severity: 'skipped', saw: "S3_PERMISSION can't be sent as a header" }]
      }
      return [await replay(s3, `mastodon-r2-probe/${clock.randomHex(16)}-acl.txt`, acl)]
    },
  })
}

async function replay(s3: S3Port, key: string, acl: string): Promise<Verdict> {
  const header = `"x-amz-acl: ${acl}"`
  const [refusal, ofPlain] = await refusals(s3, key, acl)
  if (ofPlain) return { severity: 'skipped', saw: 'not tried: uploads fail without it, too' }
  if (refusal) {
    return troubleOf(refusal, {
      matters: `Mastodon sends ${header} with every upload, and R2 refuses it: uploads fail with an error 500. ${refusal.why}`,
      next: NEXT,
    })
  }
  return {
    severity: 'warning',
    saw: `Mastodon sends ${header} with every upload; R2 let it pass this time.`,
    matters:
      'R2 has no ACLs and does not promise to ignore them: uploads may begin to fail. Files of suspended users stay public either way.',
    next: NEXT,
  }
}

/** Of the upload with the ACL; and where there is one, of the same upload without it. */
async function refusals(s3: S3Port, key: string, acl: string): Promise<(Problem | undefined)[]> {
  const options = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL }
  const put = (more: { acl?: string }) =>
    s3.put(key, new TextEncoder().encode('mastodon-r2\n'), { ...options, ...more }).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof Problem) return error
        throw error
      },
    )
  try {
    const refusal = await put({ acl })
    return refusal ? [refusal, await put({})] : []
  } finally {
    await s3.delete(key).catch(() => undefined)
  }
}
