import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findMastodon, type Search } from '../../../src/services/mastodon/find.ts'
import { scratch, unprivileged, write } from './scratch.ts'

const LIVE = 'home/mastodon/live'
const versionRb = ['major 4', 'minor 6', 'patch 5']
  .map((line) => `def ${line.replace(' ', '\n  ')}\nend\n`)
  .join('')
const unit = (...lines: string[]) =>
  `[Service]\nWorkingDirectory=/${LIVE}\n${lines.join('\n')}\nExecStart=/home/mastodon/.rbenv/shims/bundle exec puma\n`

/** A machine with these files; the working directory is /tmp of it, unless told. */
async function search(files: Record<string, string>, options: Partial<Search> = {}) {
  const root = write(scratch(), { 'tmp/.keep': '', ...files })
  const { cwd = 'tmp', mastodonDir, envFile, environment = {} } = options
  const found = await findMastodon({
    root,
    cwd: join(root, cwd),
    environment,
    mastodonDir: mastodonDir && join(root, mastodonDir),
    envFile: envFile && join(root, envFile),
  })
  const short = (path: string | undefined) => path?.replace(`${root}/`, '')
  return {
    found,
    dir: short(found.dir),
    envFile: short(found.envFile.path),
    envFiles: found.envFiles.map(({ path }) => short(path)),
    value: (key: string) => found.settings.get(key)?.value,
    from: (key: string) => short(found.settings.get(key)?.from),
    mediaRoot: short(found.media.root),
  }
}

describe('on bare metal', () => {
  const bare = {
    [`${LIVE}/lib/mastodon/version.rb`]: versionRb,
    [`${LIVE}/docker-compose.yml`]: 'services: {web: {image: mastodon/mastodon}}',
    [`${LIVE}/.env.production`]: 'LOCAL_DOMAIN=social.example\nWEB_DOMAIN=m.social.example\n',
    [`${LIVE}/public/system/a/b/1.png`]: '',
    'etc/systemd/system/mastodon-web.service': unit('Environment="RAILS_ENV=production"'),
    'etc/systemd/system/mastodon-sidekiq.service': unit(),
  }

  it('tells all of it', async () => {
    const { found, dir, envFile, envFiles, value, from, mediaRoot } = await search(bare)
    expect(found).toMatchObject({
      kind: 'systemd',
      composeFile: undefined,
      version: '4.6.5',
      localDomain: 'social.example',
      webDomain: 'm.social.example',
      media: { files: 1, more: false, readable: true },
      units: { web: ['mastodon-web.service'], sidekiq: ['mastodon-sidekiq.service'] },
    })
    expect([dir, envFile, envFiles]).toEqual([LIVE, `${LIVE}/.env.production`, [envFile]])
    expect(mediaRoot).toBe(`${LIVE}/public/system`)
    expect([value('RAILS_ENV'), from('RAILS_ENV')]).toEqual([
      'production',
      'systemd unit mastodon-web.service',
    ])
  })

  it.each(['opt/mastodon', 'var/www/mastodon/live', 'srv/mastodon', 'tmp', 'else/where'])(
    'is found in %s',
    async (folder) => {
      const place = (text: string) => text.replaceAll(LIVE, folder)
      const files = Object.entries(bare).map(([name, text]) => [place(name), place(text)])
      expect(await search(Object.fromEntries(files))).toMatchObject({ dir: folder })
    },
  )

  it('the first of the files wins, systemd before all', async () => {
    const { envFiles, value, from } = await search({
      ...bare,
      'etc/systemd/system/mastodon-web.service': unit(
        'Environment=A=unit B=unit',
        'EnvironmentFile=/etc/mastodon/one',
        'EnvironmentFile=-/etc/mastodon/two',
        'EnvironmentFile=-/none/three',
      ),
      'etc/mastodon/one': 'B=one # kept\nC=one\nD=one\nexport E=no\n',
      'etc/mastodon/two': 'D=two\n',
      [`${LIVE}/.env`]: 'A=x\nB=x\nC=x\nD=x\nE=base\nF=base\nG=base\nH=base\nI=base\n',
      [`${LIVE}/.env.local`]: 'G=local\nH=local\n',
      [`${LIVE}/.env.production.local`]: 'H=production-local\n',
      [`${LIVE}/.env.production`]: 'F=production\nG=production\nH=production\nJ=$A-$H\n',
    })
    const letters = [...'ABCDEFGHIJ']
    expect(letters.map(value)).toEqual([
      ...['unit', 'one # kept', 'one', 'two', 'base', 'production', 'local', 'production-local'],
      ...['base', 'unit-production-local'],
    ])
    expect(from('C')).toBe('etc/mastodon/one')
    expect(envFiles.map((path) => path?.split('/').at(-1))).toEqual([
      ...['two', 'one', '.env.production.local', '.env.local', '.env.production', '.env'],
    ])
  })

  it('the block goes where the storage settings are', async () => {
    const local = `${LIVE}/.env.production.local`
    expect(await search({ ...bare, [local]: 'S3_BUCKET=x\n' })).toMatchObject({ envFile: local })
    expect(await search({ ...bare, [local]: 'OTHER=x\n' })).toMatchObject({
      envFile: `${LIVE}/.env.production`,
    })
  })

  it('PAPERCLIP_ROOT_PATH moves the media', async () => {
    const { mediaRoot } = await search({
      ...bare,
      [`${LIVE}/.env.production`]: 'PAPERCLIP_ROOT_PATH=:rails_root/media\n',
    })
    expect(mediaRoot).toBe(`${LIVE}/media`)
  })

  it('units of another folder are left out', async () => {
    const { found } = await search({
      ...bare,
      'etc/systemd/system/mastodon-web-two.service': unit().replace(LIVE, 'srv/two'),
    })
    expect(found.units.web).toEqual(['mastodon-web.service'])
  })

  it('without units, what was built there tells it from Docker', async () => {
    const files = Object.entries(bare).filter(([name]) => !name.startsWith('etc/'))
    const plain = Object.fromEntries(files)
    expect((await search(plain)).found.kind).toBe('docker')
    const built = { ...plain, [`${LIVE}/public/packs/x.js`]: '' }
    expect((await search(built)).found.kind).toBe('systemd')
  })

  it('an env file that exists nowhere is named all the same', async () => {
    const files = Object.entries(bare).filter(([name]) => !name.endsWith('.env.production'))
    const { found, envFile } = await search(Object.fromEntries(files))
    expect([envFile, found.envFile.exists]).toEqual([`${LIVE}/.env.production`, false])
  })
})

describe('with Docker Compose', () => {
  const compose = (...lines: string[]) =>
    `services:\n  web:\n    image: ghcr.io/mastodon/mastodon:v4.5.2\n${lines.map((line) => `    ${line}\n`).join('')}`
  const docker = (lines: string[], files: Record<string, string> = {}) =>
    search({ 'opt/mastodon/docker-compose.yml': compose(...lines), ...files })

  it('tells all of it', async () => {
    const { found, dir, envFile, from, value, mediaRoot } = await docker(
      ['env_file: .env.production', 'volumes:', '  - ./public/system:/mastodon/public/system'],
      {
        'opt/mastodon/.env.production': 'LOCAL_DOMAIN=social.example\nS3_ALIAS_HOST=a#b\n',
        'opt/mastodon/public/system/1.png': '',
      },
    )
    expect(found).toMatchObject({
      kind: 'docker',
      version: '4.5.2',
      localDomain: 'social.example',
      media: { files: 1 },
      units: { web: [], sidekiq: [] },
    })
    expect(found.composeFile).toMatch(/opt\/mastodon\/docker-compose\.yml$/)
    expect([dir, envFile, mediaRoot]).toEqual([
      'opt/mastodon',
      'opt/mastodon/.env.production',
      'opt/mastodon/public/system',
    ])
    expect([value('S3_ALIAS_HOST'), from('S3_ALIAS_HOST')]).toEqual(['a#b', envFile])
  })

  it('environment wins, then the later file, then mounted files', async () => {
    const { value, from, envFiles, envFile } = await docker(
      [
        'env_file: [one.env, two.env, none.env]',
        'environment: {A: compose, SHELL_ONE: }',
        'volumes: ["./mounted:/opt/mastodon/.env.production:ro"]',
      ],
      {
        'opt/mastodon/one.env': 'A=1\nB=1\nC=1\nINHERITED\nX="a\\nb"\nY=a\\nb\n',
        'opt/mastodon/two.env': 'A=2\nB=2\n',
        'opt/mastodon/mounted': 'C=3\nD=3\n',
      },
    )
    expect([...'ABCD'].map(value)).toEqual(['compose', '2', '1', '3'])
    expect(from('A')).toBe('opt/mastodon/docker-compose.yml')
    expect(value('INHERITED')).toBeUndefined()
    expect([value('X'), value('Y')]).toEqual(['a\nb', 'a\\nb'])
    expect(envFiles.map((path) => path?.split('/').at(-1))).toEqual([
      'two.env',
      'one.env',
      'mounted',
    ])
    expect(envFile).toBe('opt/mastodon/mounted')
  })

  it('a raw file is taken as it is', async () => {
    const lines = ['env_file:', '  - path: raw.env', '    format: raw']
    const { value } = await docker(lines, { 'opt/mastodon/raw.env': "A='x' # y\n#B=1\n" })
    expect([value('A'), value('B')]).toEqual(["'x' # y", undefined])
  })

  test.each<[volume: string, root: string | undefined, readable: boolean]>([
    ['./data:/opt/mastodon/public', 'opt/mastodon/data/system', true],
    ['media:/mastodon/public/system', undefined, false],
    ['./other:/mastodon/log', undefined, true],
  ])('media mounted as %s', async (volume, root, readable) => {
    const { found, mediaRoot } = await docker([`volumes: ["${volume}"]`])
    expect([mediaRoot, found.media.readable]).toEqual([root, readable])
  })
})

describe('by flags', () => {
  const live = {
    [`${LIVE}/lib/mastodon/version.rb`]: versionRb,
    [`${LIVE}/.env.production`]: 'LOCAL_DOMAIN=live.example\n',
    'elsewhere/my.env': 'LOCAL_DOMAIN=my.example\n',
    file: 'x',
    'empty/x': '',
  }

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
