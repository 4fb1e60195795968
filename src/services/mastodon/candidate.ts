import { readEnvFile } from './env-read.ts'
import type { EffectiveSetting, EnvFileOnDisk, Installation } from './port.ts'

/** A Mastodon found in one folder, before its env file is chosen and its media counted. */
export interface Candidate
  extends Pick<
    Installation,
    'kind' | 'dir' | 'composeFile' | 'version' | 'units' | 'envFiles' | 'services'
  > {
  /** Where the settings go when nothing says otherwise; may not exist yet. */
  readonly usualEnvFile: EnvFileOnDisk
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  /** Folder of local media on this machine; `hidden`: somewhere this tool can't look. */
  readonly media: { readonly root: string } | 'none' | 'hidden'
}

/** What Rails' dotenv loads in production, the winning file first. */
export const railsEnvFiles = ['.env.production.local', '.env.local', '.env.production', '.env']

/** Those of the files that exist; a missing one is no fault, one that can't be read is. */
export async function existing(paths: readonly string[]): Promise<EnvFileOnDisk[]> {
  const files = await Promise.all(
    paths.map((path) =>
      readEnvFile(path).catch((error: unknown) => {
        if (isFolderMissing(error)) return undefined
        throw error
      }),
    ),
  )
  return files.filter((file) => file?.exists === true) as EnvFileOnDisk[]
}

function isFolderMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'env-file-folder-missing'
}
