import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { storageBlock } from '../../src/flow/mastodon-here.ts'
import { envWriter } from '../../src/flow/world.ts'
import { restoreLines } from '../../src/services/mastodon/env-edit.ts'
import { readStatements } from '../../src/services/mastodon/env-text.ts'
import { type EnvRestoration, envRestoration } from '../../src/setup/env-restoration.ts'
import { hostBefore } from '../../src/setup/media-hosts.ts'
import { stays, undoFlags, wishesIn } from '../../src/setup/undoing.ts'
import { undoSettings } from '../../src/undo/settings.ts'
import { ACCOUNT, envFileOf, HOST, setupOf } from '../fakes/fake-world.ts'

const writer = await envWriter()
const setup = setupOf()
const lines = {
  settings: (text: string) =>
    new Map(
      readStatements(text).flatMap(({ active, key, value }) =>
        active ? [[key, { value }] as const] : [],
      ),
    ),
  restore: restoreLines,
}
const ID = '1'.repeat(32)
const key = (digit: string) => ({
  accessKeyId: digit.repeat(32),
  secretAccessKey: new Secret('2'.repeat(64)),
})

/** What `init` makes of a text. */
function ours(text: string, more: Parameters<typeof setupOf>[0] = {}, digit = '1') {
  return writer.edit(text, storageBlock(setupOf(more), key(digit)), ['S3_STORAGE_CLASS'])
}

const LOCAL = 'LOCAL_DOMAIN=example.com\n'
const WASABI = `${LOCAL}S3_ENABLED=true
S3_BUCKET=old
S3_ENDPOINT=https://s3.wasabisys.com
S3_STORAGE_CLASS=STANDARD_IA
AWS_ACCESS_KEY_ID=WASABI
AWS_SECRET_ACCESS_KEY=old
`
const BY_HAND = `${LOCAL}S3_ENABLED=true
S3_BUCKET=example-media
S3_ENDPOINT=https://${ACCOUNT}.r2.cloudflarestorage.com
AWS_ACCESS_KEY_ID=${'9'.repeat(32)}
AWS_SECRET_ACCESS_KEY=${'8'.repeat(64)}
`

const SWIFT = `${LOCAL}SWIFT_ENABLED=true
SWIFT_OBJECT_URL=https://swift.example.net/media
`
/** What a switch away from Swift writes besides the block. */
const kept = (text: string, hosts = 'https://swift.example.net') =>
  writer.edit(text, new Map([['EXTRA_MEDIA_HOSTS', hosts]]), [])
const OWN_HOSTS = `${SWIFT}EXTRA_MEDIA_HOSTS="https://a.example https://b.example" # mine\n`

function restoration(text: string, backups: readonly string[], ownKeys: readonly string[] = [ID]) {
  return envRestoration({
    setup,
    envWriter: writer,
    lines,
    file: envFileOf(text),
    backups: backups.map((backup, index) => ({ path: `backup-${index}`, text: backup })),
    ownKeys: new Set(ownKeys),
  })
}

const whole = (text: string, backup = 'backup-0'): EnvRestoration => ({
  is: 'write',
  text,
  how: 'whole',
  backup,
})

describe('what undo does to an env file', () => {
  it.each<[string, string, string[], EnvRestoration]>([
    ['no storage in it', LOCAL, [], { is: 'clean' }],
    ['another bucket', ours(LOCAL).replace('example-media', 'other'), [LOCAL], { is: 'clean' }],
    ['another provider', WASABI, [LOCAL], { is: 'clean' }],
    ['fresh block', ours(LOCAL), [LOCAL], whole(LOCAL)],
    ['in an empty file', ours(''), [''], whole('')],
    ['in place of another provider', ours(WASABI), [WASABI], whole(WASABI)],
    ['in place of a setup by hand', ours(BY_HAND), [BY_HAND], whole(BY_HAND)],
    [
      'after a rotation',
      ours(ours(WASABI), {}, '3'),
      [ours(WASABI), WASABI],
      whole(WASABI, 'backup-1'),
    ],
    [
      'after the host was changed',
      ours(ours(LOCAL, { mediaHost: 'old.example.com' })),
      [ours(LOCAL, { mediaHost: 'old.example.com' }), LOCAL],
      whole(LOCAL, 'backup-1'),
    ],
    [
      'after a repair of what was ours',
      ours(LOCAL),
      [ours(LOCAL).replace('S3_PERMISSION=', 'S3_PERMISSION=private'), LOCAL],
      whole(LOCAL, 'backup-1'),
    ],
    [
      'prepared, then switched',
      ours(LOCAL),
      [ours(LOCAL, { storage: 'prepare' }), LOCAL],
      whole(LOCAL, 'backup-1'),
    ],
    ['after undo and init', ours(WASABI), [WASABI, ours(LOCAL), LOCAL], whole(WASABI)],
    ['the host of Swift goes with its line', kept(ours(SWIFT)), [SWIFT], whole(SWIFT)],
    [
      'hosts that were there before stay as they were',
      kept(ours(OWN_HOSTS), 'https://a.example,https://b.example,https://swift.example.net'),
      [OWN_HOSTS],
      whole(OWN_HOSTS),
    ],
    [
      'the host goes from a file that was changed since, and its comment',
      `${kept(ours(SWIFT))}SMTP_PORT=25\n`,
      [SWIFT],
      { is: 'write', text: `${SWIFT}SMTP_PORT=25\n`, how: 'lines', backup: 'backup-0' },
    ],
    [
      'a list that somebody went on with stays',
      kept(ours(SWIFT), 'https://swift.example.net,https://later.example'),
      [SWIFT],
      {
        is: 'write',
        text: kept(SWIFT, 'https://swift.example.net,https://later.example'),
        how: 'lines',
        backup: 'backup-0',
      },
    ],
    [
      'the host of another provider, which the cut-over has kept',
      kept(ours(WASABI), `https://${hostBefore(lines.settings(WASABI), setup)}`),
      [WASABI],
      whole(WASABI),
    ],
    ['made by init', ours(''), [], { is: 'remove' }],
    ['no backup', ours(LOCAL), [], { is: 'write', text: LOCAL, how: 'cut', backup: undefined }],
    [
      'no backup but our own',
      ours(LOCAL, {}, '3'),
      [ours(LOCAL)],
      { is: 'write', text: LOCAL, how: 'cut', backup: undefined },
    ],
    ['by hand', BY_HAND, [], { is: 'foreign' }],
    [
      'changed by the admin since',
      `# mine\n${ours(WASABI)}SMTP_PORT=25\n`,
      [WASABI],
      { is: 'write', text: `# mine\n${WASABI}SMTP_PORT=25\n`, how: 'lines', backup: 'backup-0' },
    ],
    [
      'our lines changed by the admin',
      ours(LOCAL).replace('S3_PROTOCOL=https\n', ''),
      [LOCAL],
      { is: 'write', text: LOCAL, how: 'lines', backup: 'backup-0' },
    ],
    [
      'our value changed by the admin',
      ours(LOCAL).replace(HOST, 'x.example'),
      [LOCAL],
      whole(LOCAL),
    ],
  ])('%s', (_, text, backups, expected) => {
    expect(restoration(text, backups)).toEqual(expected)
  })

  it('a key of ours in it tells as much as our comments', () => {
    const bare = ours(LOCAL).replaceAll(/^#.*\n/gm, '')
    expect(restoration(bare, [], [])).toEqual({ is: 'foreign' })
    expect(restoration(bare, [], [ID])).toMatchObject({ is: 'write', how: 'cut' })
  })

  it('the endpoint of another world is known by the setup', () => {
    const s3Endpoint = 'http://127.0.0.1:1'
    const text = ours(LOCAL, { s3Endpoint })
    expect(restoration(text, [LOCAL])).toEqual({ is: 'clean' })
    const at = {
      setup: setupOf({ s3Endpoint }),
      envWriter: writer,
      lines,
      ownKeys: new Set<string>(),
    }
    const backups = [{ path: 'b', text: LOCAL }]
    expect(envRestoration({ ...at, file: envFileOf(text), backups })).toEqual(whole(LOCAL, 'b'))
  })
})

describe('the flags', () => {
  it('are those of the catalog', () => {
    for (const [name, flag] of Object.entries(undoFlags)) {
      expect(undoSettings[name as keyof typeof undoFlags].flag).toBe(flag)
    }
  })

  it('are read back from the notes', () => {
    const notes = [stays('x', 'detachDomain'), stays('y'), stays('z', 'detachDomain')]
    expect(wishesIn(notes.map(({ note }) => note))).toEqual(['detachDomain'])
    expect(wishesIn([])).toEqual([])
  })
})
