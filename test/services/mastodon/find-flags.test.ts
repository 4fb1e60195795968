import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findMastodon, type Search } from '../../../src/services/mastodon/find.ts'
import { LIVE, search, versionRb } from './machine.ts'
import { scratch, unprivileged, write } from './scratch.ts'

describe('by flags', () => {
  const live = {
    [`${LIVE}/lib/mastodon/version.rb`]: versionRb,
    [`${LIVE}/.env.production`]: 'LOCAL_DOMAIN=live.example\n',
    'elsewhere/my.env': 'LOCAL_DOMAIN=my.example\n',
    file: 'x',
    'empty/x': '',
    'copy/public/system/a/1.jpeg': 'x',
  }
  const paperclip = { [`${LIVE}/.env.production`]: 'PAPERCLIP_ROOT_PATH=/mnt/not-mounted\n' }

  it('an env file of the installation found', async () => {
    const { found, dir } = await search(live, { envFile: `${LIVE}/.env.production` })
    expect([found.kind, dir, found.localDomain]).toEqual(['systemd', LIVE, 'live.example'])
  })

  it('a symlink to it', async () => {
    const root = write(scratch(), live)
    await symlink(join(root, LIVE, '.env.production'), join(root, 'link.env'))
    const found = await findMastodon({ root, cwd: root, envFile: 'link.env', environment: {} })
    expect(found).toMatchObject({ kind: 'systemd', localDomain: 'live.example' })
  })

  it('an env file that no installation reads', async () => {
    const { found, envFile, dir } = await search(live, { envFile: 'elsewhere/my.env' })
    expect([found.kind, dir, envFile, found.localDomain]).toEqual([
      ...['none', undefined, 'elsewhere/my.env', 'my.example'],
    ])
  })

  it('both: the folder for the version, the file for the settings', async () => {
    const { found, envFiles } = await search(live, {
      envFile: 'elsewhere/my.env',
      mastodonDir: LIVE,
    })
    expect(found).toMatchObject({ kind: 'systemd', version: '4.6.5', localDomain: 'my.example' })
    expect(envFiles).toEqual(['elsewhere/my.env'])
  })

  it('an env file that is still to be made', async () => {
    const { found } = await search(live, { envFile: 'elsewhere/new.env' })
    expect(found).toMatchObject({ kind: 'none', envFile: { exists: false }, envFiles: [] })
  })

  it('a folder with nothing but an env file', async () => {
    const files = {
      'conf/.env.production': 'LOCAL_DOMAIN=x.example\n',
      'conf/.env': 'WEB_DOMAIN=y\n',
    }
    const { found, dir } = await search(files, { mastodonDir: 'conf' })
    expect([found.kind, dir, found.localDomain, found.webDomain]).toEqual([
      ...['none', 'conf', 'x.example', 'y'],
    ])
  })

  it.each<[string, Record<string, string>, Partial<Search>, object]>([
    [
      'public/system of a folder that was named',
      { 'conf/.env.production': '', 'conf/public/system/a/1.jpeg': 'x' },
      { mastodonDir: 'conf' },
      { root: 'conf/public/system', files: 1, readable: true },
    ],
    [
      'public/system beside an env file that was named',
      { 'conf/my.env': '', 'conf/public/system/a/1.jpeg': 'x' },
      { envFile: 'conf/my.env' },
      { root: 'conf/public/system', files: 1, readable: true },
    ],
    [
      'public/system of the working directory',
      { 'conf/.env.production': '', 'conf/public/system/a/1.jpeg': 'x' },
      { cwd: 'conf' },
      { root: 'conf/public/system', files: 1, readable: true },
    ],
    [
      'public/system below a folder that has no env file',
      { 'conf/public/system/a/1.jpeg': 'x', 'etc/my.env': '' },
      { mastodonDir: 'conf', envFile: 'etc/my.env' },
      { root: 'conf/public/system', files: 1, readable: true },
    ],
    [
      'PAPERCLIP_ROOT_PATH',
      { 'conf/.env.production': 'PAPERCLIP_ROOT_PATH=media\n', 'conf/media/1.jpeg': 'x' },
      { mastodonDir: 'conf' },
      { root: 'conf/media', files: 1, readable: true },
    ],
    [
      'PAPERCLIP_ROOT_PATH, which is not mounted',
      { [`${LIVE}/lib/mastodon/version.rb`]: versionRb, ...paperclip },
      { mastodonDir: LIVE },
      { root: '/mnt/not-mounted', files: 0, readable: false },
    ],
    ['none', { 'conf/.env.production': '' }, { mastodonDir: 'conf' }, { root: undefined }],
    [
      'the folder that --media-dir names',
      { ...live, 'mnt/a/1.jpeg': 'x', 'mnt/2.jpeg': 'x' },
      { mastodonDir: LIVE, mediaDir: 'mnt' },
      { root: 'mnt', files: 2, readable: true },
    ],
  ])('the media is: %s', async (_, files, options, media) => {
    const { found, mediaRoot } = await search(files, options)
    expect({ ...found.media, root: mediaRoot }).toMatchObject(media)
  })

  it('nothing anywhere', async () => {
    const { found, envFile } = await search({})
    expect(found).toMatchObject({
      kind: 'none',
      dir: undefined,
      envFile: { exists: false },
      media: { root: undefined, files: 0, more: false, readable: true },
    })
    expect(envFile).toBe('tmp/.env.production')
  })

  test.each<[options: Partial<Search>, code: string]>([
    [{ mastodonDir: 'none' }, 'mastodon-dir-missing'],
    [{ mastodonDir: 'file' }, 'mastodon-dir-missing'],
    [{ mastodonDir: 'empty' }, 'mastodon-dir-empty'],
    [{ mediaDir: 'none' }, 'media-dir-missing'],
    [{ mediaDir: 'file' }, 'media-dir-missing'],
    [{ mediaDir: 'copy' }, 'media-dir-above'],
    [{ envFile: 'empty' }, 'env-file-is-folder'],
    [{ envFile: 'none/.env' }, 'env-file-folder-missing'],
  ])('%j is refused: %s', async (options, code) => {
    await expect(search(live, options)).rejects.toMatchObject({ code, exit: 2 })
  })

  it("a folder that this user can't read", async () => {
    const root = write(scratch(), live)
    await mkdir(join(root, 'cwd'))
    await chmod(join(root, 'home'), 0o000)
    const options = { root, cwd: join(root, 'cwd'), environment: {} }
    const finding = unprivileged(() => findMastodon(options))
    await expect(finding).rejects.toMatchObject({ code: 'mastodon-dir-unreadable', exit: 2 })
    await chmod(join(root, 'home'), 0o755)
  })
})
