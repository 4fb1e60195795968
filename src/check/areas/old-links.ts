import { Problem } from '../../core/problem.ts'
import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import { instanceHost, mediaHost } from './instance.ts'

type Needs = 'installation' | 'storage' | 'connectS3' | 'web'
type At = Pick<CheckWorld, Needs>

/** Prefixes of the instance's own files, which other servers remember the address of. */
const OWN = ['accounts/avatars/', 'media_attachments/files/']

/** Other servers keep links to `/system/…`; they break unless redirected (mastodon#11915). */
export const oldLinks: Check<Needs> = {
  id: 'old-links',
  about: 'Mastodon',
  title: 'Links from before R2',
  cost: 'look',
  async look(at) {
    const [own, media] = [instanceHost(at), mediaHost(at)]
    if (own === undefined || media === undefined) {
      return [{ severity: 'skipped', saw: 'the instance or the media host is not known' }]
    }
    if (at.installation.media.files === 0 && at.installation.media.readable) {
      return [{ severity: 'ok', saw: 'no media was found on this machine' }]
    }
    try {
      const key = await knownKey(at)
      if (key === undefined) return [{ severity: 'skipped', saw: 'no file to try it with' }]
      return [await follow(at, `https://${own}/system/${key}`, `https://${media}/${key}`)]
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return [{ severity: 'skipped', saw: `not seen: ${error.what}` }]
    }
  },
}

async function knownKey({ storage, connectS3 }: At): Promise<string | undefined> {
  if (!storage.isR2 || storage.key === undefined || storage.bucket === undefined) return undefined
  const s3 = connectS3(storage.key)
  for (const prefix of OWN) {
    const [key] = await s3.list(prefix, 1)
    if (key !== undefined) return key
  }
  return undefined
}

async function follow({ web }: At, url: string, wanted: string): Promise<Verdict> {
  const response = await web.fetch(url, { method: 'HEAD' })
  if (response.header('location')[0] === wanted) {
    return { severity: 'ok', saw: '/system/… leads to the media host' }
  }
  if (response.status === 200) return { severity: 'ok', saw: '/system/… is still served here' }
  return {
    severity: 'note',
    saw: `${url} answers with status ${response.status}, and does not lead to the media host.`,
    matters: 'Other servers remember such addresses of older media, and show broken images.',
    next: `Once the old media is in the bucket, lead /system/ to ${new URL(wanted).origin}/:\n  npx mastodon-r2 redirects`,
  }
}
