import { testsWithout } from './vitest.config.ts'

/** What starts our program, Cloudflare's emulator, rclone, a browser or other people's programs. */
export default testsWithout([
  'test/{contract,e2e,golden,package,ruby,sandbox,survival}/**',
  'test/services/rclone/**',
  'test/services/**/*sandbox*',
  'test/services/cloudflare/removal.test.ts',
  'test/services/mastodon/compose/judge.test.ts',
  'test/services/media/large-folder.test.ts',
  'test/check/check.test.ts',
  'test/check/areas/{jurisdiction,media-in-browser}.test.ts',
  'test/flow/media-folder.test.ts',
  'test/migrate/compare/compare-sandbox.test.ts',
  'test/migrate/slurper/**',
  'test/rotate/rotate-survives.test.ts',
])
