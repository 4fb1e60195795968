import { type BadInput, badFiles } from './bad-files.ts'
import { HOST } from './stage.ts'

const hosts: readonly [host: string, ...words: string[]][] = [
  ['', 'empty'],
  ['   ', 'empty'],
  ['files', 'no dot', 'files.example.com'],
  ['my files.example.com', 'space', 'myfiles.example.com'],
  ['my_files.example.com', 'underscore', 'my-files.example.com'],
  ['*.example.com', 'wildcard'],
  ['admin@example.com', 'mail address'],
  ['203.0.113.7', 'IP address'],
  ['http://203.0.113.7/files', 'IP address'],
  ['[2001:db8::1]', 'IP address'],
  ['files..example.com', 'two dots'],
  ['.files.example.com', 'starts with one'],
  ['-files.example.com', '"-files"', 'hyphen'],
  ['files-.example.com', '"files-"', 'hyphen'],
  [`${'a'.repeat(64)}.example.com`, '63 characters'],
  [`${'a.'.repeat(130)}example.com`, '253'],
  ['files.example.123', 'ends in a number'],
  ['files.$(id).com', '"$(id)"'],
]

const buckets: readonly [bucket: string, ...words: string[]][] = [
  ['ab', '3 to 63'],
  ['a'.repeat(64), '3 to 63'],
  ['my_bucket', 'my-bucket'],
  ['my.bucket', 'my-bucket'],
  ['media-', 'no "-" at an end', 'media'],
  ['mediä', '3 to 63'],
  ['a/b', 'a-b'],
  ['../etc', '3 to 63'],
]

const tokens: readonly [name: string, token: string, ...words: string[]][] = [
  ['with Bearer', `Bearer ${'a'.repeat(40)}`, 'Bearer'],
  ['in two lines', `${'a'.repeat(20)}\n${'a'.repeat(20)}`, 'line break'],
  ['global key', `cfk_${'a'.repeat(40)}`, 'Global API Key'],
  ['old global key', 'a1'.repeat(18).concat('b'), 'Global API Key'],
  ['S3 secret', 'a1'.repeat(32), 'S3 secret'],
  ['account id', 'a1'.repeat(16), 'id'],
  ['cut short', 'cfut_abc', '40'],
]

const settings: readonly [args: readonly string[], ...words: string[]][] = [
  [['--account-id', 'mine'], '--account-id', '32 characters'],
  [['--account-id', 'A'.repeat(32)], '--account-id', '32 characters'],
  [['--location', 'mars'], '--location', 'weur'],
  [['--jurisdiction', 'ch'], '--jurisdiction', 'fedramp'],
  [['--token-kind', 'admin'], '--token-kind', 'account, user'],
  [['--existing-media', 'copy'], '--existing-media', 'prepare, switch'],
  [['--print', '--format', 'yaml'], '--format', 'env, json'],
  [['--allow-ip', '203.0.113.7/33'], '--allow-ip', '203.0.113.7/33'],
  [['--allow-ip', 'home'], '--allow-ip', 'home'],
  [['--expires', 'tomorrow'], '--expires', '2027-06-30'],
  [['--expires', '2027-02-30'], '--expires', '2027-06-30'],
  [['--cors-origin', 'https://example.com/app'], '--cors-origin', 'no path'],
  [['--cors-origin', 'example.com'], '--cors-origin', 'https://social.example.com'],
  [['--wait-domain', '15'], '--wait-domain', '15m'],
  [['--wait-domain=-5m'], '--wait-domain', '15m'],
  [['--cloudflare-api-url', 'ftp://example.com'], '--cloudflare-api-url', 'http'],
  [['--bucket', 'a', '--location', 'mars'], '2 settings are wrong', '--bucket', '--location'],
]

const usage: readonly [args: readonly string[], problem: string, ...words: string[]][] = [
  [['--buket', 'media'], 'unknown-flag', '--bucket'],
  [['--media_host', HOST], 'unknown-flag', '--media-host'],
  [['--api-token', 'x'], 'unknown-flag', '--api-token-file'],
  [['-x'], 'unknown-flag', '-x'],
  [['--bucket'], 'flag-needs-value', '--bucket NAME'],
  [['--bucket', '--print'], 'flag-needs-value', '--bucket NAME'],
  [['--bucket', 'one', '--bucket', 'two'], 'flag-twice', '--bucket'],
  [['--dry-run=yes'], 'flag-takes-no-value', '--dry-run'],
  [['files.example.com'], 'unexpected-word', 'flags only'],
  [['--location', 'weur', '--jurisdiction', 'eu'], 'settings-contradict', '--location'],
  [['--print'], 'settings-contradict', '--print', '--json'],
  [['--quiet', '--verbose'], 'settings-contradict', '--quiet', '--verbose'],
  [['--sandbox', '--account-id', 'a'.repeat(32)], 'settings-contradict', '--sandbox'],
  [['--format', 'json'], 'format-without-print', '--print'],
  [['--answers', '-', '--api-token-file', '-'], 'stdin-twice', '--answers'],
]

const answers: readonly [input: string, ...words: string[]][] = [
  ['', 'empty'],
  ['# only a comment\n', 'empty'],
  ['{"mediaHost": ', 'not JSON'],
  ['mediaHost: files.example.com', 'line 1', 'NAME=value'],
  ['MASTODON_R2_BUCKET=media\nfiles.example.com', 'line 2', 'NAME=value'],
  ['MASTODON_R2_BUCKET="media', 'line 1', 'NAME=value'],
  ['MASTODON_R2_BUKET=media', 'MASTODON_R2_BUKET', 'Did you mean "MASTODON_R2_BUCKET"'],
  ['LOCAL_DOMAIN=example.com', 'LOCAL_DOMAIN', 'MASTODON_R2_BUCKET'],
  ['MASTODON_R2_YES=1', 'MASTODON_R2_YES', '--yes'],
  ['MASTODON_R2_BUCKET=a-1\nMASTODON_R2_BUCKET=a-2', 'same setting'],
  ['["files.example.com"]', 'not a JSON object'],
  ['null', 'not a JSON object'],
  ['{"mediahost": "files.example.com"}', 'mediahost', 'Did you mean "mediaHost"'],
  ['{"yes": true}', 'yes'],
  ['{"bucket": "one", "--bucket": "two"}', '--bucket'],
]

const wrongAnswers: readonly [input: object, ...words: string[]][] = [
  [{ bucket: 5 }, 'answers', 'string'],
  [{ bucket: ['media'] }, 'answers', 'string'],
  [{ mediaHost: '203.0.113.7' }, 'answers', 'IP address'],
  [{ allowIp: [7] }, 'answers'],
  [{ corsOrigin: { origin: '*' } }, 'answers'],
]

/** What people get wrong, and what they have to be told. All of it ends with exit code 2. */
export const badInputs: readonly BadInput[] = [
  ...hosts.map(([host, ...words]) => ({
    name: `media host "${host.slice(0, 40)}"`,
    args: ['--media-host', host],
    problem: 'settings-wrong',
    words: ['--media-host', ...words],
  })),
  {
    name: 'a switch in its variable',
    env: { MASTODON_R2_DRY_RUN: 'perhaps' },
    args: ['--bucket', 'media'],
    problem: 'settings-wrong',
    words: ['MASTODON_R2_DRY_RUN', '1 or 0'],
  },
  {
    name: 'media host in the variable',
    env: { MASTODON_R2_MEDIA_HOST: 'a_b.example.com' },
    args: ['--bucket', 'media'],
    problem: 'settings-wrong',
    words: ['MASTODON_R2_MEDIA_HOST', 'underscore'],
  },
  ...buckets.map(([bucket, ...words]) => ({
    name: `bucket "${bucket.slice(0, 40)}"`,
    args: ['--bucket', bucket],
    problem: 'settings-wrong',
    words: ['--bucket', ...words],
  })),
  ...tokens.map(([name, token, ...words]) => ({
    name: `token: ${name}`,
    args: ['--api-token-file', '-'],
    input: token,
    problem: 'settings-wrong',
    words: ['--api-token-file', ...words],
  })),
  ...settings.map(([args, ...words]) => ({
    name: args.join(' '),
    args,
    problem: 'settings-wrong',
    words,
  })),
  ...usage.map(([args, problem, ...words]) => ({ name: args.join(' '), args, problem, words })),
  ...answers.map(([input, ...words]) => ({
    name: `answers ${input}`,
    args: ['--answers', '-'],
    input,
    problem: 'answers-wrong',
    words: ['answers', ...words],
  })),
  ...wrongAnswers.map(([input, ...words]) => ({
    name: `answers ${JSON.stringify(input)}`,
    args: ['--answers', '-'],
    input: JSON.stringify(input),
    problem: 'settings-wrong',
    words,
  })),
  ...badFiles,
]
