import { counted } from '../core/amounts.ts'
import { type Remembered, thirdStorageCopy } from '../flow/mastodon-here.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { hiddenWords } from './hidden-media.ts'

/**
 * Media that a switch would hide: files here, at another provider, or in another bucket than the
 * one to be used; none once that bucket is in use.
 */
export function hasMedia(
  installation: Installation,
  remembered: Remembered,
  bucket: string | undefined,
): boolean {
  if (remembered.storage === 'r2' && remembered.switchedOn) {
    return bucket !== undefined && bucket !== remembered.bucket
  }
  if (remembered.storage === 'other' || remembered.elsewhere !== undefined) return true
  const { files, readable, unseen = false } = installation.media
  return files > 0 || !readable || unseen
}

export function mediaWords({ media, envFile }: Installation, remembered: Remembered): string {
  if (remembered.storage === 'other') return 'Media is at another S3 provider now.'
  const { elsewhere } = remembered
  if (elsewhere !== undefined) {
    const at = elsewhere.place === '' ? '' : ` (container ${elsewhere.place})`
    return `Media is at ${elsewhere.name}${at} now. ${thirdStorageCopy(elsewhere)}.`
  }
  if (remembered.switchedOn) return `Media is in the bucket ${remembered.bucket} now.`
  if (media.hidden !== undefined) return hiddenWords(media.hidden)
  if (media.unseen) {
    return `${envFile.path} has the settings of a server, and nothing else of it is here: whether it holds media can't be seen from here.`
  }
  if (!media.readable)
    return `${media.root ?? 'The media folder'} can't be read, and may hold media.`
  return `There is media on this server (${media.more ? 'more than ' : ''}${counted(media.files, 'file')} in ${media.root ?? 'public/system'}).`
}
