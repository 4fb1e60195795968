import { expect, it } from 'vitest'
import { inRehearsal } from '../../src/flow/session.ts'

it.each([
  ['Run the same command again; it goes on from here.', 'Run the same command again.'],
  ['Then run the same command again: it goes on from here.', 'Then run the same command again.'],
  [
    'Run the same again; it tries these once more and goes on from here:\n  a line',
    'Run the same again; it tries these once more:\n  a line',
  ],
  [
    '1 h left. You can stop this run: the next one goes on from here',
    '1 h left. You can stop this run',
  ],
  ['This goes on from here:\n  a line', 'This rehearses again:\n  a line'],
  [
    'their owner may be another; then go on from here:',
    'their owner may be another; then rehearse again:',
  ],
  ['Copy it first:\n  npx mastodon-r2 migrate --stage copy', 'Copy it first.'],
  [
    'It was not announced. To announce it first: npx mastodon-r2 migrate --stage announce',
    'It was not announced.',
  ],
  ['Nothing to change here.', 'Nothing to change here.'],
])('a rehearsal promises nothing of the kind: %s', (words, told) => {
  expect(inRehearsal(words)).toBe(told)
})
