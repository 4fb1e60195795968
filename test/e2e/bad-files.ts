import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { ENV, LOCAL_DOMAIN, type Machine } from './machine.ts'

export interface BadInput {
  readonly name: string
  /** After `init --yes`; `--media-host` with a good host is added when neither of them names one. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  readonly envFile?: string
  readonly arrange?: (at: Machine) => void
  /** As a user who is not root. */
  readonly unprivileged?: true
  readonly problem: string
  /** Each has to be said; lower case and upper case are alike. */
  readonly words: readonly string[]
}

const oldBlock = [
  ...['S3_ENABLED', 'S3_BUCKET', 'S3_REGION', 'S3_ENDPOINT', 'S3_PROTOCOL', 'S3_ALIAS_HOST'],
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
]
  .map((name) => `${name}=old\n`)
  .join('')

const envFile = (file: string) => ['--mastodon-env', file]

/** Env files, folders, tokens and other files that can't be used, and what has to be said. */
export const badFiles: readonly BadInput[] = [
  {
    name: 'env file is binary',
    envFile: `${LOCAL_DOMAIN}\0\0`,
    problem: 'env-file-not-text',
    words: ['--mastodon-env'],
  },
  {
    name: 'env file is far too large',
    envFile: `${LOCAL_DOMAIN}#${'x'.repeat(300_000)}`,
    problem: 'env-file-not-text',
    words: ['256 KiB'],
  },
  {
    name: 'env file is a folder',
    args: envFile('folder'),
    arrange: ({ path }) => mkdirSync(path('folder')),
    problem: 'env-file-is-folder',
    words: ['.env.production'],
  },
  {
    name: 'env file in a folder that is missing',
    args: envFile('no/such/.env.production'),
    problem: 'env-file-folder-missing',
    words: ['no/such', '--mastodon-env'],
  },
  {
    name: 'env file below a file',
    args: envFile(`${ENV}/file`),
    problem: 'env-file-folder-missing',
    words: ['--mastodon-env'],
  },
  {
    name: 'env file is a link that goes in circles',
    args: envFile('loop'),
    arrange: ({ path }) => symlinkSync('loop', path('loop')),
    problem: 'env-file-unreadable',
    words: ['circle'],
  },
  {
    name: 'env file of somebody else',
    unprivileged: true,
    arrange: ({ path }) => chmodSync(path(ENV), 0o000),
    problem: 'env-file-unreadable',
    words: ['sudo', '--mastodon-env'],
  },
  {
    name: 'env file with a stray quoted line below an empty value',
    envFile: `${LOCAL_DOMAIN}${oldBlock}S3_PERMISSION=private\n''\n`,
    problem: 'env-file-tangled',
    words: ['S3_PERMISSION', 'stray line'],
  },
  {
    name: 'media host is LOCAL_DOMAIN',
    envFile: 'LOCAL_DOMAIN=files.example.com\n',
    problem: 'media-host-refused',
    words: ['hostname of Mastodon itself', 'files.files.example.com'],
  },
  {
    name: 'media host is WEB_DOMAIN',
    envFile: 'LOCAL_DOMAIN=example.com\nWEB_DOMAIN=files.example.com\n',
    problem: 'media-host-refused',
    words: ['hostname of Mastodon itself'],
  },
  {
    name: 'no folder of Mastodon',
    args: ['--mastodon-dir', 'nowhere'],
    problem: 'mastodon-dir-missing',
    words: ['nowhere', '--mastodon-dir'],
  },
  {
    name: 'an empty folder of Mastodon',
    args: ['--mastodon-dir', 'empty'],
    arrange: ({ path }) => mkdirSync(path('empty')),
    problem: 'mastodon-dir-empty',
    words: ['empty', 'docker-compose.yml'],
  },
  {
    name: 'a broken compose file',
    arrange: ({ path }) =>
      writeFileSync(path('compose.yml'), 'services:\n  web: {image: mastodon\n    - x'),
    problem: 'compose-file-broken',
    words: ['compose.yml', 'docker compose'],
  },
  {
    name: 'no media host',
    args: ['--bucket', 'media'],
    env: { MASTODON_R2_MEDIA_HOST: '' },
    problem: 'settings-missing',
    words: ['--media-host', 'MASTODON_R2_MEDIA_HOST', '--answers'],
  },
  {
    name: 'no token',
    env: { CLOUDFLARE_API_TOKEN: undefined },
    problem: 'settings-missing',
    words: ['--api-token-file', 'CLOUDFLARE_API_TOKEN'],
  },
  {
    name: 'a token that nobody knows',
    env: { CLOUDFLARE_API_TOKEN: `cfut_${'x'.repeat(40)}` },
    problem: 'cloudflare-1000',
    words: ['not valid', 'dash.cloudflare.com'],
  },
  {
    name: 'an account’s token that nobody knows',
    env: { CLOUDFLARE_API_TOKEN: `cfat_${'x'.repeat(40)}` },
    problem: 'cloudflare-9106',
    words: ['did not recognise the API token', 'Copy the token once more'],
  },
  {
    name: 'a login of wrangler',
    env: { CLOUDFLARE_API_TOKEN: `cfoat_${'x'.repeat(40)}` },
    problem: 'cloudflare-token-kind',
    words: ['wrangler'],
  },
  {
    name: 'a token file that is missing',
    args: ['--api-token-file', 'token.txt'],
    problem: 'file-unreadable',
    words: ['--api-token-file', 'token.txt', 'no such file'],
  },
  {
    name: 'a token file that is a folder',
    args: ['--api-token-file', '.'],
    problem: 'file-unreadable',
    words: ['directory'],
  },
  {
    name: 'an empty token file',
    args: ['--api-token-file', '-'],
    input: '\n',
    problem: 'settings-wrong',
    words: ['--api-token-file', 'empty'],
  },
  {
    name: 'answers that are missing',
    args: ['--answers', 'answers.json'],
    problem: 'file-unreadable',
    words: ['answers.json', 'no such file'],
  },
  {
    name: 'a key that a user can’t own',
    args: ['--token-kind', 'user'],
    problem: 'token-kind-impossible',
    words: ['--token-kind'],
  },
]
