import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { catalogs } from '../fakes/shown-lines.ts'

const tests = fileURLToPath(new URL('..', import.meta.url))

/** `file: the beginning of a title`: the test in which the flag changes something, or is refused. */
type Row = `${string}.test.ts: ${string}`
type Rows = Readonly<Record<string, Row>>

const alone: Row = 'e2e/flags-of-all.test.ts: $command: told by flags alone, it finds all'
const answered: Row = 'e2e/flags-of-all.test.ts: $command: told by answers, and little is said'
const account: Row =
  'e2e/flags-of-all.test.ts: $command: an account that the token does not see is refused'
const unagreed: Row = 'e2e/flags-of-all.test.ts: $command: without --yes nobody has agreed'
const colours: Row = 'e2e/flags-of-all.test.ts: $command: --no-color'
const wished: Row = 'e2e/flags-of-one.test.ts: every wish is in what is made'
const rotated: Row = 'e2e/flags-of-one.test.ts: rotate makes the new key as it is wished'
const undone: Row =
  'e2e/flags-of-one.test.ts: undo: --media-host, --bucket and --jurisdiction say what is taken back'
const looked: Row =
  'e2e/flags-of-one.test.ts: --bucket and --media-host are looked at in place of those of the env file'
const stood: Row = 'e2e/flags-of-one.test.ts: stands in as it is told'
const paced: Row = 'e2e/flags-of-migrate.test.ts: --transfers and --bwlimit are what rclone is told'
const further: Row =
  'e2e/flags-of-migrate.test.ts: --checksum, --headers and --remove-extras look further'
const elsewhere: Row = 'e2e/flags-of-migrate.test.ts: %s %s is another place than this one'
const ofStage: Row = 'migrate/stage-flags.test.ts: $name with the stage $stage: $refused'
const rehearsed: Row = 'migrate/cleanup.test.ts: rehearses once, then does it, then is done'
const cleaned: Row = 'e2e/migrate.test.ts: without --stage: each in its turn, up to the cut-over'
const switched: Row = 'e2e/migrate-cutover.test.ts: nothing is lost: $variant'
const untaken: Row =
  'e2e/undo.test.ts: without flags domain and bucket stay, and the next one can take them'
const redirected: Row =
  'e2e/leave-redirects.test.ts: the media host leads to the disk, seen, and back to R2 with --undo'
const brought: Row =
  'e2e/leave.test.ts: --media-dir, --transfers and --log-file: fetched there, by so many, and noted there'
const attached: Row = 'e2e/sandbox.test.ts: --attached ends when standard input does'
const running: Row = 'e2e/sandbox.test.ts: runs a Mastodon, whose programs come first in PATH'

const timed = { '--timings': 'flow/timings.test.ts: what the end waited for is told' } as const

/** What all commands understand. */
const shared: Rows = {
  '--mastodon-dir': alone,
  '--mastodon-env': answered,
  '--answers': answered,
  '--api-token-file': alone,
  '--account-id': account,
  '--json': alone,
  '--quiet': answered,
  '--verbose': alone,
  '--no-color': colours,
  '--cloudflare-api-url': alone,
  '--s3-endpoint-url': alone,
}
const web: Rows = { ...shared, '--connect-to': alone }
const changing: Rows = {
  ...web,
  '--dry-run': alone,
  '--yes': unagreed,
  '--log-file': 'e2e/run-log.test.ts: --log-file is made, also by a run that finds nothing to do',
}

const shown: Readonly<Record<string, Rows>> = {
  init: {
    ...changing,
    '--media-host': 'e2e/flags-of-all.test.ts: $command: told by flags alone, it finds all',
    '--bucket': alone,
    '--location': wished,
    '--jurisdiction': 'e2e/flags-of-one.test.ts: --jurisdiction is where the bucket is',
    '--cors-origin': wished,
    '--existing-media':
      'e2e/flags-of-one.test.ts: --existing-media %s is done where no media is seen, too',
    '--edge': 'e2e/edge.test.ts: the rules are seen by a stranger; a second run changes nothing',
    '--edge-ttl': 'e2e/edge.test.ts: --edge-ttl: media leaves the cache after that',
    '--announce': 'e2e/announce.test.ts: media on the disk: prepared, named by the pages, noted',
    '--media-dir': 'e2e/flags-of-one.test.ts: --media-dir has the media that a switch would hide',
    '--token-kind': wished,
    '--allow-ip': wished,
    '--expires': wished,
    '--wait-domain': 'e2e/flags-of-one.test.ts: --wait-domain is how long',
    '--rotate': 'e2e/rotate.test.ts: init --rotate is the same; a dry run changes nothing',
    '--print': 'e2e/init-output.test.ts: gives the block alone on stdout and writes nothing here',
    '--format': 'e2e/init-formats.test.ts: %s: the new key stands on stdout, once',
    '--sandbox': 'e2e/sandbox.test.ts: says that it is a rehearsal and changes nothing',
  },
  usage: shared,
  purge: {
    ...changing,
    '--address': 'e2e/purge.test.ts: a purge: every size, query strings, copies for our own pages',
    '--deleted-since': 'e2e/purge-since.test.ts: leaves the cache, file by file',
    '--keep-list': 'e2e/purge-since.test.ts: keeps what the bucket holds',
    '--and-delete':
      'e2e/purge.test.ts: from the bucket, then from the cache, and each address answers 404',
  },
  check: {
    ...web,
    '--sandbox': 'e2e/rehearsal.test.ts: check --sandbox finds all well',
    '--fix': 'e2e/check-fix.test.ts: are put right in one run, and the check proves it',
    '--dry-run': 'e2e/check-fix.test.ts: a dry run shows the plan and changes nothing',
    '--yes': 'e2e/check-fix.test.ts: without a yes nothing is changed',
    '--log-file': 'e2e/flags-of-one.test.ts: --log-file is where a check is noted, too',
    '--media-host': looked,
    '--bucket': looked,
    '--jurisdiction':
      'e2e/flags-of-one.test.ts: --jurisdiction is where Cloudflare is asked for the bucket',
    '--quick': 'check/check.test.ts: --quick writes nothing at all',
    '--format': 'e2e/check.test.ts: --format nagios: %s',
  },
  migrate: {
    ...changing,
    '--api-token-file': ofStage,
    '--account-id': ofStage,
    '--cloudflare-api-url': ofStage,
    '--stage': 'e2e/flags-of-all.test.ts: $command: told by flags alone, it finds all',
    '--from': elsewhere,
    '--engine': elsewhere,
    '--slurper': elsewhere,
    '--only-local': 'e2e/flags-of-migrate.test.ts: %s: fewer',
    '--skip': 'e2e/flags-of-migrate.test.ts: %s: fewer',
    '--with-private': 'e2e/flags-of-migrate.test.ts: %s: more',
    '--with-suspended': 'e2e/flags-of-migrate.test.ts: %s: more',
    '--with-removed': 'migrate/copy/copy-after-switch.test.ts: unless it is asked for',
    '--transfers': paced,
    '--bwlimit': paced,
    '--checksum': further,
    '--headers': further,
    '--remove-extras': further,
    '--clean-media': rehearsed,
    '--clean-profiles': rehearsed,
    '--clean-cards': rehearsed,
    '--clean-orphans': cleaned,
    '--clean-cache': rehearsed,
    '--no-downtime': switched,
    '--stop': switched,
    '--max-loss': 'migrate/compare/max-loss.test.ts: two failed files stop it',
    '--media-dir': 'e2e/flags-of-migrate.test.ts: --media-dir: what lies there',
    '--sandbox': 'e2e/sandbox.test.ts: goes through all stages, loses no upload',
  },
  leave: {
    '--mastodon-dir': alone,
    '--mastodon-env': answered,
    '--answers': answered,
    '--json': alone,
    '--quiet': answered,
    '--verbose': alone,
    '--no-color': colours,
    '--s3-endpoint-url': alone,
    '--connect-to': alone,
    '--dry-run': 'e2e/leave.test.ts: a dry run fetches nothing',
    '--yes': 'e2e/leave.test.ts: without --yes nobody has agreed',
    '--log-file': brought,
    '--media-dir': brought,
    '--transfers': brought,
    '--stage': 'e2e/leave.test.ts: a survey changes nothing, and tells what would come',
    '--to':
      'e2e/leave-to-s3.test.ts: copied, switched while people upload, compared; R2 is as it was',
    '--to-env':
      'e2e/leave-to-s3.test.ts: what cannot be used is refused before anything changes, and never with',
    '--checksum': 'e2e/leave.test.ts: killed in the middle, the next run goes on, and all is whole',
    '--suspended-open':
      'e2e/leave.test.ts: without an answer about suspended users nothing is fetched',
    '--api-token-file': redirected,
    '--cloudflare-api-url': redirected,
    '--undo': redirected,
    '--assume-restarted': 'leave/restarted.test.ts: %s: that is no restart until somebody says so',
    '--no-downtime': 'e2e/leave-cutover.test.ts: nothing is lost: %s',
    '--stop': 'e2e/leave-cutover.test.ts: nothing is lost: %s',
  },
  redirects: {
    ...changing,
    '--yes': 'e2e/redirects.test.ts: without --yes nobody has agreed',
    '--account-id': 'e2e/redirects.test.ts: %s would have no effect, and is refused',
    '--via': 'e2e/redirects.test.ts: a list of the account, behind the rules of others',
    '--status':
      'e2e/redirects.test.ts: --old-address names other addresses, --status 302 stays temporary',
    '--old-address': 'e2e/redirects.test.ts: --old-address names other addresses',
    '--remove': 'e2e/redirects.test.ts: --remove takes ours and leaves those of others',
    '--assume-restarted':
      'redirects/restarted.test.ts: %s: that is no restart until somebody says so',
    '--media-host': 'e2e/redirects.test.ts: --media-host is where old addresses lead',
  },
  rotate: {
    ...changing,
    '--restart': 'e2e/rotate.test.ts: --restart run: everything, in one go',
    '--grace': 'e2e/rotate.test.ts: stopped in the grace period; the next run goes on',
    '--assume-restarted': 'e2e/rotate.test.ts: a person’s word counts where nothing can be seen',
    '--sandbox': 'e2e/rehearsal.test.ts: rotate --sandbox replaces the key there',
    '--schedule': 'e2e/rotate.test.ts: --schedule prints, and needs neither token nor network',
    '--roll': 'e2e/rotate.test.ts: --roll',
    '--token-kind': rotated,
    '--allow-ip': rotated,
    '--expires': rotated,
  },
  undo: {
    ...changing,
    '--sandbox': 'e2e/rehearsal.test.ts: undo --sandbox takes all of it back',
    '--detach-domain': untaken,
    '--delete-empty-bucket': untaken,
    '--even-if-in-use': 'e2e/undo.test.ts: with the flag all goes but the bucket',
    '--drop-edge-rules':
      'e2e/edge.test.ts: undo leaves them while the host serves, and takes exactly them away when told',
    '--media-host': undone,
    '--bucket': undone,
    '--jurisdiction': undone,
  },
  sandbox: {
    '--zone': stood,
    '--token-kind': stood,
    '--domain-delay': stood,
    '--key-delay': stood,
    '--request-delay': stood,
    '--rate-limit': stood,
    '--refuse-parts': stood,
    '--refuse-strangers': stood,
    '--media': running,
    '--uploads': running,
    '--attached': attached,
    '--json': attached,
  },
}

const sources = new Map(
  readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => [path, readFileSync(join(tests, path), 'utf8')]),
)

/** What is missing of the test that a row names. */
function faultOf(row: Row): string | undefined {
  const [, file = '', title = ''] = /^(.*?\.test\.ts): (.*)$/.exec(row) ?? []
  const source = sources.get(file)
  if (source === undefined) return `There is no ${file}.`
  return source.includes(`'${title}`) ? undefined : `${file} has no test "${title}".`
}

describe.each(Object.entries(catalogs))(
  'each flag of %s is obeyed or refused',
  (command, flags) => {
    const rows = { ...(command !== 'sandbox' && timed), ...shown[command] }

    test('each has a row, and no row is of a flag that is gone', () => {
      const known = Object.values(flags).map(({ flag }) => flag as string)
      expect(Object.keys(rows).sort()).toEqual(known.sort())
    })

    test('each row names a test that is there', () => {
      const faults = Object.entries(rows).flatMap(([flag, row]) => {
        const fault = faultOf(row)
        return fault === undefined ? [] : [`${flag}: ${fault}`]
      })
      expect(faults).toEqual([])
    })
  },
)

test('the flags that all commands have are tried with each of them', () => {
  const source = sources.get('e2e/flags-of-all.test.ts') ?? ''
  for (const flag of Object.keys(web)) expect(source.includes(`'${flag}'`), flag).toBe(true)
  for (const command of Object.keys(catalogs).filter((name) => name !== 'sandbox')) {
    expect(source.includes(`command: '${command}'`), command).toBe(true)
  }
})
