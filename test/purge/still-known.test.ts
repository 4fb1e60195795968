import { describe, expect, test } from 'vitest'
import { KeyPack } from '../../src/core/key-pack.ts'
import { isMastodons, stillKnown } from '../../src/purge/still-known.ts'
import type { Command, StreamPort } from '../../src/services/process/port.ts'
import { installationOf } from '../fakes/fake-world.ts'
import { askRuby, rubyMissing } from '../ruby/ruby.ts'

const row = 'media_attachments/files/109/291/000/000/000/001'

async function pack(keys: readonly string[]) {
  const made = new KeyPack()
  await made.add(keys)
  return made.end()
}

/** Asks a Mastodon that answers as it is told; `dir`: none where there is no Mastodon. */
async function asked(
  keys: readonly string[],
  answer: (command: Command, input: string) => { lines: readonly string[]; exitCode?: number },
  kind: 'systemd' | 'none' = 'systemd',
) {
  const stream: StreamPort = {
    async stream(command, { onLine, input = [], signal }) {
      let text = ''
      for await (const piece of input) text += piece
      const { lines, exitCode = 0 } = answer(command, text)
      for (const line of lines) {
        if (signal?.aborted) return { exitCode: undefined, aborted: true }
        onLine(line, exitCode === 0 ? 'stdout' : 'stderr')
      }
      return { exitCode, aborted: false }
    },
  }
  const installation = installationOf({ dir: '/', kind })
  const { signal } = new AbortController()
  const packed = await pack(keys)
  return stillKnown({ installation, stream, asRoot: true, signal }, packed.read(), keys.length)
}

test('the words of Rails in between do not matter', async () => {
  const { known, unclear } = await asked(['a', 'b', 'c'], () => ({
    lines: [
      '[dotenv] Loaded',
      'mastodon-r2 knows a',
      'mastodon-r2 unclear c',
      'mastodon-r2 asked 3',
    ],
  }))
  expect([[...known], [...unclear]]).toEqual([['a'], ['c']])
})

describe('is no answer', () => {
  test.each([
    ['a failure', { lines: ['PG::ConnectionBad'], exitCode: 1 }, 'PG::ConnectionBad'],
    ['silence', { lines: [] }, 'did not answer for all'],
    ['less than was asked', { lines: ['mastodon-r2 asked 1'] }, 'did not answer for all'],
  ])('%s', async (_, answer, why) => {
    await expect(asked(['a', 'b'], () => answer)).rejects.toMatchObject({
      code: 'mastodon-not-asked',
      why: expect.stringContaining(why),
    })
  })

  test('no Mastodon on this machine', async () => {
    const none = asked(['a'], () => ({ lines: ['mastodon-r2 asked 1'] }), 'none')
    await expect(none).rejects.toMatchObject({ code: 'mastodon-not-asked' })
  })
})

test('a bucket that lost all is not taken for a clean-up', async () => {
  const lines = Array.from({ length: 10_002 }, (_, nth) => `mastodon-r2 knows ${nth}`)
  await expect(asked(['a'], () => ({ lines }))).rejects.toMatchObject({ code: 'files-lost' })
})

describe.skipIf(rubyMissing)(`the question, with Mastodon's own gems ${rubyMissing ?? ''}`, () => {
  const keys = [
    `${row}/original/aaaa.jpg`,
    `${row}/small/aaaa.png`,
    `${row}/original/cccc.jpg`,
    'media_attachments/thumbnails/109/291/000/000/000/001/original/bbbb.png',
    `cache/${row}/original/aaaa.jpg`,
    'media_attachments/files/109/291/000/000/000/002/original/dddd.jpg',
    'media_attachments/files/109/291/000/000/000/003/original/eeee.jpg',
    'accounts/avatars/001/000/000/original/new.png',
    'accounts/avatars/001/000/000/original/old.png',
    'accounts/destroys/001/000/000/original/new.png',
    'kernels/exits/001/000/000/original/new.png',
    'site_uploads/files/000/000/001/original/new.png',
  ]

  test('tells what a row names, what none does, and what it can not know', async () => {
    const answer = (command: Command, input: string) => {
      const ASK = command.args.at(-1) ?? ''
      const out = askRuby('known_files.rb', { variables: { ASK }, input })
      return { lines: out.trimEnd().split('\n') }
    }
    const { known, unclear } = await asked(keys, answer)
    expect([...known]).toEqual([keys[0], keys[1], keys[3], keys[4], keys[7]])
    expect([...unclear]).toEqual([keys[9], keys[10], keys[11]])
  })
})

test.each([
  [`${row}/original/aaaa.jpg`, true],
  [`cache/${row}/small/aaaa.png`, true],
  ['accounts/avatars/001/000/000/original/aa', true],
  ['own/logo.png', false],
  [`${row}/original/a b.png`, false],
  [`${row}/original/a\nb.png`, false],
  [`media_attachments/files/1/original/a.png`, false],
])('%j is of Mastodon: %s', (key, expected) => {
  expect(isMastodons(key)).toBe(expected)
})
