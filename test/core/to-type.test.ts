import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/commands.ts'
import { shellWord } from '../../src/core/shell-word.ts'
import {
  asRoot,
  commandWords,
  helpLine,
  prose,
  renderText,
  type Text,
  toType,
  uniqueText,
} from '../../src/core/to-type.ts'
import { wrap } from '../../src/ui/words.ts'

const cloudflare = { cloudflareApiUrl: 'http://cf' }

describe('a line to type', () => {
  test.each([
    [toType('init'), 'npx mastodon-r2 init'],
    [toType('migrate', { stage: 'copy' }), 'npx mastodon-r2 migrate --stage copy'],
    [
      toType('rotate', { allowIp: ['0.0.0.0/0', '::/0'] }),
      'npx mastodon-r2 rotate --allow-ip 0.0.0.0/0 --allow-ip ::/0',
    ],
    [
      toType('migrate', { cleanCache: true, dryRun: true }),
      'npx mastodon-r2 migrate --clean-cache --dry-run',
    ],
    [
      toType('check', { s3EndpointUrl: 'http://127.0.0.1:1', quick: true }),
      'npx mastodon-r2 check --s3-endpoint-url http://127.0.0.1:1 --quick',
    ],
  ])('%s', (line, words) => {
    expect(String(line)).toBe(words)
  })

  test.each<[string, Text, string]>([
    ['says where Mastodon is', toType('check'), 'npx mastodon-r2 check --mastodon-env /e'],
    [
      'says it before what it is for',
      toType('migrate', { stage: 'copy' }),
      'npx mastodon-r2 migrate --mastodon-env /e --stage copy',
    ],
    [
      'keeps a place of its own',
      toType('migrate', { mastodonDir: '/a', stage: 'copy' }),
      'npx mastodon-r2 migrate --mastodon-dir /a --stage copy',
    ],
    ['has none in a sandbox', toType('sandbox'), 'npx mastodon-r2 sandbox'],
    [
      'has none in a rehearsal with a Mastodon of its own',
      toType('migrate', { sandbox: true }),
      'npx mastodon-r2 migrate --sandbox',
    ],
    [
      'says it among words',
      prose`To see: ${toType('check')}.`,
      'To see: npx mastodon-r2 check --mastodon-env /e.',
    ],
  ])('%s', (_, text, words) => {
    expect(renderText(text, { mastodonEnv: '/e' })).toBe(words)
  })

  test.each([
    [['npx', 'mastodon-r2'], 'npx mastodon-r2 check --mastodon-env /e'],
    [['./mastodon-r2-linux-x64'], './mastodon-r2-linux-x64 check --mastodon-env /e'],
    [['mastodon-r2'], 'mastodon-r2 check --mastodon-env /e'],
    [["/srv/it's mine/r2"], "'/srv/it'\\''s mine/r2' check --mastodon-env /e"],
  ])('begins as the program was started: %j', (program, words) => {
    expect(renderText(toType('check'), { mastodonEnv: '/e', program })).toBe(words)
  })

  test('help has no place', () => {
    const at = { mastodonEnv: '/e', program: ['./r2'] }
    expect(renderText(helpLine('undo'), at)).toBe('./r2 help undo')
    expect(renderText(helpLine(), at)).toBe('./r2 help')
  })

  test.each([['./mastodon-r2-linux-x64'], ['/opt/my tools/mastodon-r2'], ['mastodon-r2']])(
    'stays whole inside a sentence: %s',
    (path) => {
      const line = renderText(toType('check', { mastodonEnv: '/e' }), { program: [path] })
      expect(wrap(`To see what is wrong, type ${line} there.`, 30)).toContain(line)
    },
  )

  test('each command is known', () => {
    expect(commandWords.split('|').sort()).toEqual(commands.map(({ name }) => name).sort())
  })

  test('a path of ours is no line to type', () => {
    const words = 'See /etc/mastodon-r2/token and the key mastodon-r2 check-media: both are ours.'
    expect(wrap(words, 12).every((line) => line.length <= 22)).toBe(true)
  })

  test('both that were told, and a word with a dollar is no pattern', () => {
    const at = { mastodonDir: '/srv/$&', mastodonEnv: '/e' }
    expect(renderText(toType('undo'), at)).toBe(
      "npx mastodon-r2 undo --mastodon-dir '/srv/$&' --mastodon-env /e",
    )
  })

  test.each([
    [toType('init'), 'npx mastodon-r2 init --media-dir /mnt'],
    [toType('migrate', { stage: 'copy' }), 'npx mastodon-r2 migrate --media-dir /mnt --stage copy'],
    [
      toType('migrate', { mediaDir: '/other', mastodonDir: '/a' }),
      'npx mastodon-r2 migrate --media-dir /other --mastodon-dir /a',
    ],
    [toType('check'), 'npx mastodon-r2 check'],
    [toType('migrate', { sandbox: true }), 'npx mastodon-r2 migrate --sandbox'],
    [toType('leave'), 'npx mastodon-r2 leave --media-dir /mnt'],
    [toType('leave', { to: 's3' }), 'npx mastodon-r2 leave --to s3'],
  ])('says where the media is to those who look there: %s', (line, words) => {
    expect(renderText(line, { mediaDir: '/mnt' })).toBe(words)
  })

  test.each([
    [toType('check'), ''],
    [toType('init'), ' --cloudflare-api-url'],
    [toType('rotate'), ' --cloudflare-api-url'],
    [toType('undo', { yes: true }), ' --cloudflare-api-url'],
    [toType('purge', { keepList: true }), ''],
    [toType('purge', { deletedSince: '7d' }), ' --cloudflare-api-url'],
    [toType('redirects'), ' --cloudflare-api-url'],
    [toType('redirects', { via: 'nginx' }), ''],
    [toType('redirects', { via: 'nginx', remove: true }), ' --cloudflare-api-url'],
    [toType('leave'), ''],
    [toType('leave', { stage: 'redirects', undo: true }), ' --cloudflare-api-url'],
    [toType('migrate'), ''],
    [toType('migrate', { stage: 'redirects' }), ' --cloudflare-api-url'],
    [toType('migrate', { engine: 'super-slurper' }), ' --cloudflare-api-url'],
  ])('leads to the bucket and the network of its run, where that is no fault: %s', (line, api) => {
    const at = { s3EndpointUrl: 'http://s3:1', connectTo: ['::a:1', 'b:2:c:'], ...cloudflare }
    const [command = ''] = String(line).split(' ').slice(2)
    const told = `--s3-endpoint-url http://s3:1 --connect-to ::a:1 --connect-to b:2:c:${api && `${api} http://cf`}`
    expect(renderText(line, at)).toBe(String(line).replace(command, `${command} ${told}`))
  })

  test.each([
    [toType('usage'), {}, 'usage --s3-endpoint-url http://s3:1'],
    [
      toType('usage'),
      { hasToken: true },
      'usage --s3-endpoint-url http://s3:1 --cloudflare-api-url http://cf',
    ],
    [
      toType('check'),
      { hasToken: true },
      'check --s3-endpoint-url http://s3:1 --connect-to ::a:1 --cloudflare-api-url http://cf',
    ],
    [
      toType('check', { s3EndpointUrl: 'http://own' }),
      {},
      'check --connect-to ::a:1 --s3-endpoint-url http://own',
    ],
    [toType('check', { sandbox: true }), { hasToken: true }, 'check --sandbox'],
    [toType('sandbox'), {}, 'sandbox'],
    [helpLine('check'), {}, 'help check'],
  ])(
    'and where it would be one, or the line says another, it does not: %s',
    (line, more, words) => {
      const at = { s3EndpointUrl: 'http://s3:1', connectTo: ['::a:1'], ...cloudflare, ...more }
      expect(renderText(line, at)).toBe(`npx mastodon-r2 ${words}`)
    },
  )

  test('takes more settings, and agrees at its end', () => {
    const line = toType('undo', { mastodonEnv: '/e', yes: true }).with({ detachDomain: true })
    expect(String(line)).toBe('npx mastodon-r2 undo --mastodon-env /e --detach-domain --yes')
  })
})

describe('prose', () => {
  test('holds prose, lines and numbers', () => {
    const inner = prose`in ${toType('check')}`
    expect(renderText(prose`${2} words ${inner} out`, { mastodonEnv: '/e' })).toBe(
      '2 words in npx mastodon-r2 check --mastodon-env /e out',
    )
  })

  test('escapes are what they are in any template', () => {
    expect(String(prose`a\n  ${toType('check')}`)).toBe('a\n  npx mastodon-r2 check')
  })

  test('each text once, whatever it is made of', () => {
    const texts = [
      toType('check'),
      'npx mastodon-r2 check',
      prose`${toType('init')}`,
      toType('init'),
    ]
    expect(uniqueText(texts).map(String)).toEqual(['npx mastodon-r2 check', 'npx mastodon-r2 init'])
  })
})

const words = [
  'a.b/c:1',
  '',
  'a b',
  '$(x)',
  '$HOME',
  '*',
  "it's",
  '"',
  ';rm -rf x',
  '`id`',
  'a\\b',
  'a\nb',
  '~',
  '-n',
  '#x',
  'a|b&c>d<e',
  '!!',
  'ü',
]

describe('a shell reads back', () => {
  const read = (line: string) =>
    execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1)

  test('every word', () => {
    expect(read(words.map(shellWord).join(' '))).toEqual(words)
  })

  test('every place of an env file', () => {
    for (const word of words) {
      const line = renderText(toType('migrate', { stage: 'copy' }), { mastodonEnv: `/srv/${word}` })
      expect(read(line)).toEqual([
        'npx',
        'mastodon-r2',
        'migrate',
        '--mastodon-env',
        `/srv/${word}`,
        '--stage',
        'copy',
      ])
    }
  })

  test.each(['a\nb', '\u001B[31m%s', 'a\\n\r\tb', '-e\u009B', "it's\u202E100%", '/\u2028'])(
    '%j, on one line and without what a terminal obeys',
    (word) => {
      const line = shellWord(word)
      expect(read(line)).toEqual([word])
      expect(line).toMatch(/^[ -~]+$/)
    },
  )

  test.each(['a.b/c:1', 'A_b@c%d+e=f,g-h'])('%s needs no quotes', (word) => {
    expect(shellWord(word)).toBe(word)
  })
})

test.each<[boolean | undefined, string]>([
  [true, 'Type: systemctl daemon-reload'],
  [false, 'Type: sudo systemctl daemon-reload'],
  [undefined, 'Type: sudo systemctl daemon-reload'],
])('what takes root has sudo, unless root reads it (%s)', (isRoot, words) => {
  const text = prose`Type: ${asRoot('systemctl daemon-reload')}`
  expect(renderText(text, isRoot === undefined ? {} : { isRoot })).toBe(words)
  if (isRoot === undefined) expect(String(text)).toBe(words)
})
