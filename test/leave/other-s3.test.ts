import { describe, expect, test } from 'vitest'
import { compareSides } from '../../src/leave/compare.ts'
import { copyThere } from '../../src/leave/copy.ts'
import { textThere } from '../../src/leave/env-switch.ts'
import { BACKUP, HIDDEN, HOUR, leaving, PICTURE } from './to-s3.ts'

describe('a copy to another provider', () => {
  test('has the ACL that Mastodon sends, and private is what Mastodon hides', async () => {
    const { runs, copy } = await leaving()
    await copy()
    expect(runs).toEqual([
      { acl: 'public-read', keys: [PICTURE] },
      { acl: 'private', keys: [BACKUP, HIDDEN] },
    ])
  })

  test('has none where S3_PERMISSION is empty', async () => {
    const { runs, copy } = await leaving({ S3_PERMISSION: '' })
    await copy()
    expect(runs).toEqual([{ acl: undefined, keys: [BACKUP, PICTURE, HIDDEN] }])
  })

  test.each([
    ['of another size', 'pictur', HOUR, true],
    ['of another content, stored before', 'erutcip', -HOUR, true],
    ['of another content, stored after what R2 has', 'erutcip', HOUR, false],
    ['the same', 'picture', -HOUR, false],
  ])('what is %s there: replaced %s', async (_, text, later, isReplaced) => {
    const { s3, next, runs, stored, copy } = await leaving()
    stored(s3, PICTURE, 'picture', 10 * HOUR)
    stored(next, PICTURE, text, 10 * HOUR + later)
    expect(await copy()).toMatchObject({ is: 'ready' })
    expect(runs.flatMap(({ keys }) => keys).includes(PICTURE)).toBe(isReplaced)
  })

  test('once Mastodon uses it nothing there is replaced', async () => {
    const { at, next, stored } = await leaving()
    stored(next, PICTURE, 'newer by Mastodon')
    const step = copyThere({ ...at, isSwitched: true })
    await step.change?.(undefined)
    expect(Buffer.from((await next.get(PICTURE)).body).toString()).toBe('newer by Mastodon')
  })

  test('what was brought before the switch and is gone was removed by Mastodon: it stays so', async () => {
    const { at, s3, next, stored, copy } = await leaving()
    stored(s3, PICTURE, 'picture', 1 * HOUR)
    s3.time = new Date(5 * HOUR)
    await copy('last')
    next.objects.delete(PICTURE)
    stored(s3, 'media_attachments/files/109/003/original/c.png', 'in between', 5 * HOUR)
    await copy('after')
    expect(next.objects.has(PICTURE)).toBe(false)
    expect(next.objects.has('media_attachments/files/109/003/original/c.png')).toBe(true)
    const compared = await compareSides(at, { checksum: true }).look({ facts: {} })
    expect(compared).toMatchObject({
      is: 'ready',
      warnings: [expect.stringContaining('Mastodon has removed')],
    })
  })

  test('what is listed after the last copy, and stamped with the begin of its upload, is brought', async () => {
    const { s3, next, stored, copy } = await leaving()
    s3.time = new Date(5 * HOUR)
    await copy('last')
    const film = 'media_attachments/files/109/003/original/film.mp4'
    stored(s3, film, 'a long upload', 5 * HOUR - 1_800_000)
    await copy('after')
    expect(next.objects.has(film)).toBe(true)
  })

  test('an empty object that stands for a folder is left out, and told', async () => {
    const { at, s3, runs, stored, copy } = await leaving()
    stored(s3, 'accounts/', '')
    expect(await copy()).toMatchObject({
      is: 'ready',
      warnings: [expect.stringContaining('"accounts/"')],
    })
    expect(runs.flatMap(({ keys }) => keys)).not.toContain('accounts/')
    expect((await compareSides(at, { checksum: true }).look({ facts: {} })).is).toBe('ready')
  })

  test('a last copy that lacks something proves nothing complete', async () => {
    const { at, s3, refused, copy } = await leaving()
    s3.time = new Date(5 * HOUR)
    refused.set(PICTURE, '500')
    expect(await copy('last')).toMatchObject({ problem: { code: 'leave-incomplete' } })
    expect(at.complete.until).toBeUndefined()
  })

  test('of many failures a few are named, and all are in the log', async () => {
    const { s3, refused, notes, stored, copy } = await leaving()
    for (let nth = 0; nth < 40; nth += 1) stored(s3, `accounts/avatars/${nth}.png`, 'x')
    refused.set('*', '500')
    const problem = { what: expect.stringMatching(/^43 files/), why: expect.stringContaining('38') }
    expect(await copy()).toMatchObject({ problem })
    expect(notes).toHaveLength(43)
  })
})

describe('the env file', () => {
  const before = `LOCAL_DOMAIN=social.example.com
# Media storage: Cloudflare R2, written by mastodon-r2
# S3_PERMISSION stays here and stays empty: R2 has no ACLs
S3_ENABLED=true
S3_BUCKET=media
S3_REGION=auto
S3_ENDPOINT=https://r2.example
S3_PROTOCOL=https
S3_PERMISSION=
S3_ALIAS_HOST=files.example.com
S3_READ_TIMEOUT=30
AWS_ACCESS_KEY_ID=old
AWS_SECRET_ACCESS_KEY=old-secret
`

  test('gets the lines of the new provider, and nothing of R2 stays in force', async () => {
    const { at } = await leaving({ S3_ALIAS_HOST: '', S3_HOSTNAME: 's3.example.net' })
    const text = textThere(at, {}, before)
    expect(text).toBe(`LOCAL_DOMAIN=social.example.com
# Media storage: s3.example.net
S3_ENABLED=true
S3_BUCKET=next
S3_REGION=us-east-1
S3_ENDPOINT=https://s3.example.net
S3_PROTOCOL=https
S3_PERMISSION=public-read
# S3_ALIAS_HOST=files.example.com
S3_READ_TIMEOUT=30
AWS_ACCESS_KEY_ID=id
AWS_SECRET_ACCESS_KEY=a-secret-key
S3_HOSTNAME=s3.example.net
EXTRA_MEDIA_HOSTS=https://files.example.com
`)
    expect(textThere(at, {}, text)).toBe(text)
  })

  test('has the line that spares reads by part number where they are refused', async () => {
    const { at } = await leaving()
    expect(textThere(at, { singleRequests: true }, before)).toMatch(
      /^S3_FORCE_SINGLE_REQUEST=true$/m,
    )
  })
})
