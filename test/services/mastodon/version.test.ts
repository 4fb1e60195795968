import { expect, test } from 'vitest'
import { versionFromImage, versionFromSource } from '../../../src/services/mastodon/port.ts'

const methods = (bodies: Record<string, string>) =>
  Object.entries(bodies)
    .map(([name, body]) => `    def ${name}\n      ${body}\n    end\n`)
    .join('\n')

const core = { major: '4', minor: '6', patch: '5' }

test.each<[source: string, settings: Record<string, string>, version: string | undefined]>([
  [methods({ ...core, default_prerelease: "''" }), {}, '4.6.5'],
  [methods({ ...core, default_prerelease: "'alpha.4'" }), {}, '4.6.5-alpha.4'],
  [methods({ ...core, flags: "'rc1'", suffix: "''" }), {}, '4.6.5rc1'],
  [
    methods({ ...core, build_metadata: "['glitch', ENV.fetch('X', nil)].compact_blank.join('.')" }),
    {},
    '4.6.5+glitch',
  ],
  [
    methods({ ...core, build_metadata: 'version_configuration[:metadata]' }),
    { MASTODON_VERSION_METADATA: 'mine', MASTODON_VERSION_PRERELEASE: 'rc.1' },
    '4.6.5-rc.1+mine',
  ],
  ['def major = 4\ndef minor = 6\ndef patch = 0\n', {}, '4.6.0'],
  [methods({ upstream_major: '4', upstream_minor: '3' }), {}, undefined],
  ['', {}, undefined],
])('%j %j', (source, settings, version) => {
  expect(versionFromSource(source, (name) => settings[name])).toBe(version)
})

test.each([
  ['ghcr.io/mastodon/mastodon:v4.6.5', '4.6.5'],
  ['ghcr.io/glitch-soc/mastodon:v4.5.0-beta.1', '4.5.0-beta.1'],
  ['registry.example:5000/mastodon:v4.3@sha256:00ff', '4.3'],
  ['registry.example:5000/mastodon', undefined],
  ['ghcr.io/mastodon/mastodon:latest', undefined],
  ['ghcr.io/mastodon/mastodon:nightly.2026-01-01', undefined],
  ['tootsuite/mastodon', undefined],
])('%s', (image, version) => {
  expect(versionFromImage(image)).toBe(version)
})
