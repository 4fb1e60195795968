import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTemplate } from '../../read-template.ts'
import { render } from '../../template.ts'

/** The newest release line whose settings the sandbox knows. */
export const MASTODON_VERSION = '4.5.2'

/** Lays out what a Mastodon run from source has, as far as it is looked at; media comes on top. */
export async function makeMastodonFolder(live: string, host: string): Promise<void> {
  const [major, minor, patch] = MASTODON_VERSION.split('.')
  const put = async (path: string, text: string, mode = 0o644) => {
    await mkdir(dirname(join(live, path)), { recursive: true })
    await writeFile(join(live, path), text, { mode })
  }
  const env = render(await readTemplate('sandbox-mastodon.txt'), {
    HOST: host,
    SECRET: randomBytes(64).toString('hex'),
    PASSWORD: randomBytes(12).toString('hex'),
  })
  await put('.env.production', env, 0o600)
  await put(
    'lib/mastodon/version.rb',
    `# frozen_string_literal: true

module Mastodon
  module Version
    module_function

    def major
      ${major}
    end

    def minor
      ${minor}
    end

    def patch
      ${patch}
    end

    def default_prerelease
      ''
    end
  end
end
`,
  )
  await put('public/packs/manifest.json', '{}\n')
}
