import type { CopyPlace } from './port.ts'

const SIGNED =
  /((?:Signature|X-Amz-[A-Za-z-]*(?:Signature|Credential|Token)|secret_access_key)["']?[=:]\s*["']?)[^\s"'&,]+/gi

/** Takes out of rclone's words what opens a bucket. */
export function redact(text: string, places: readonly CopyPlace[]): string {
  let shown = text
  for (const place of places) {
    if (place.kind === 'folder') continue
    const { accessKeyId, secretAccessKey } = place.key
    for (const secret of [secretAccessKey.reveal(), accessKeyId]) {
      if (secret.length > 3) shown = shown.replaceAll(secret, '****')
    }
  }
  return shown.replace(SIGNED, '$1****')
}
