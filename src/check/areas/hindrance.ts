import { hindrances } from '../../flow/storage-block.ts'
import type { Severity } from '../../plan/verdict.ts'
import { type SettingsCheck, settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly severity: Extract<Severity, 'fault' | 'warning'>
  readonly matters: string
}

const rows: readonly Row[] = [
  {
    id: 's3-multipart-threshold',
    name: 'S3_MULTIPART_THRESHOLD',
    severity: 'fault',
    matters:
      'It counts bytes, and below 5242880 (5 MiB) uploads in parts are refused ("unable to multipart upload files smaller than 5MB"). Without the line Mastodon takes 15728640.',
  },
  {
    id: 's3-key-prefix',
    name: 'S3_KEY_PREFIX',
    severity: 'warning',
    matters:
      'tootctl media remove-orphans and lookup expect media at the top of the bucket, and take it for unknown otherwise. If media is stored under the prefix already, it has to move first.',
  },
  {
    id: 's3-signature-version',
    name: 'S3_SIGNATURE_VERSION',
    severity: 'fault',
    matters: 'R2 takes version 4 only, which Mastodon uses without the line.',
  },
  {
    id: 's3-storage-class',
    name: 'S3_STORAGE_CLASS',
    severity: 'warning',
    matters:
      "R2 refuses other providers' storage classes, and its cheaper one costs more for media, which is read often.",
  },
  {
    id: 's3-path-style',
    name: 'S3_OVERRIDE_PATH_STYLE',
    severity: 'warning',
    matters: 'The bucket becomes a part of the host name; R2 is used and tested without that.',
  },
]

/** What `init` comments out, told by the doctor: both ask the same function. */
export const hindranceChecks: readonly SettingsCheck[] = rows.map(
  ({ id, name, severity, matters }) =>
    settingCheck({
      id,
      title: name,
      judge({ value, remove }, { installation }) {
        const now = value(name)
        if (!hindrances(installation.settings).has(name)) {
          return { severity: 'ok', saw: now ? shown(now) : 'not set' }
        }
        const saw = now === '' ? `${name} is set to nothing.` : `${name} is "${shown(now ?? '')}".`
        return { severity, saw, matters, next: remove(name) }
      },
    }),
)
