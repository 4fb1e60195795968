import { describe, expect, it } from 'vitest'
import { LIVE, search, versionRb } from './machine.ts'

const unit = (...lines: string[]) =>
  `[Service]\nWorkingDirectory=/${LIVE}\n${lines.join('\n')}\nExecStart=/home/mastodon/.rbenv/shims/bundle exec puma\n`

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

  it.each([
    ['a file of storage', ['EnvironmentFile=/etc/mastodon/one'], 'S3_ENABLED=false\n', true],
    ['the env file', ['EnvironmentFile=/etc/mastodon/one'], 'LOCAL_DOMAIN=a.example\n', true],
    ['a line of storage', ['Environment=S3_ENABLED=true'], '', true],
    [
      'a file for other things',
      ['EnvironmentFile=-/etc/mastodon/one'],
      'MALLOC_ARENA_MAX=2\n',
      false,
    ],
    [
      'one that was taken out',
      ['Environment=S3_BUCKET=a', 'UnsetEnvironment=S3_BUCKET'],
      '',
      false,
    ],
  ])('systemd hands the settings to a unit: %s', async (_, lines, text, isHanded) => {
    const { found } = await search({
      ...bare,
      'etc/systemd/system/mastodon-web.service': unit(...lines),
      'etc/mastodon/one': text,
    })
    const web = found.services?.find(({ role }) => role === 'web')
    expect(web?.isHanded ?? false).toBe(isHanded)
  })

  it('the files of a unit are its own and its drop-ins, not those of every service', async () => {
    const { found } = await search({
      ...bare,
      'etc/systemd/system/mastodon-web.service': unit(),
      'etc/systemd/system/mastodon-web.service.d/a.conf': '[Service]\nEnvironment=A=b\n',
      'etc/systemd/system/mastodon-.service.d/b.conf': '[Service]\nEnvironment=A=b\n',
      'run/systemd/system/service.d/host.conf': '[Service]\nProtectHome=no\n',
    })
    const names = found.unitFiles?.map((path) => path.split('/systemd/system/')[1])
    expect(new Set(names)).toEqual(
      new Set([
        'mastodon-sidekiq.service',
        'mastodon-web.service',
        'mastodon-web.service.d/a.conf',
        'mastodon-.service.d/b.conf',
      ]),
    )
  })

  it('a pattern names several files; UnsetEnvironment takes out a name, or a value of it', async () => {
    const { value, from } = await search({
      ...bare,
      'etc/systemd/system/mastodon-web.service': unit(
        'EnvironmentFile=/etc/mastodon/*.env',
        'UnsetEnvironment=A B=other C=first',
      ),
      'etc/mastodon/10-first.env': 'A=first\nB=first\nC=first\nD=first\n',
      'etc/mastodon/20-second.env': 'D=second\n',
    })
    expect(['A', 'B', 'C', 'D'].map(value)).toEqual([undefined, 'first', undefined, 'second'])
    expect(from('D')).toBe('etc/mastodon/20-second.env')
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

  it('units of another name are found by their folder, and other apps are not', async () => {
    const start = (folder: string, what: string) =>
      `[Service]\nWorkingDirectory=/${folder}\nExecStart=/usr/bin/bundle exec ${what}\n`
    const { found } = await search({
      [`${LIVE}/lib/mastodon/version.rb`]: versionRb,
      [`${LIVE}/.env.production`]: 'S3_ENABLED=true\n',
      'etc/systemd/system/social.service': start(LIVE, 'puma -C config/puma.rb'),
      'etc/systemd/system/jobs@.service': start(LIVE, 'sidekiq -q %i'),
      'etc/systemd/system/jobs@pull.service.d/own.conf':
        '[Service]\nEnvironment=S3_ENABLED=false\n',
      'etc/systemd/system/gitlab.service': start('opt/gitlab', 'puma'),
      'srv/two/lib/mastodon/version.rb': versionRb,
      'etc/systemd/system/two.service': start('srv/two', 'puma'),
    })
    expect(found.units).toEqual({ web: ['social.service'], sidekiq: ['jobs@pull.service'] })
    expect(found.neighbours).toEqual(['/srv/two'])
    const seen = found.services?.map(({ name, settings }) => [
      name,
      settings.get('S3_ENABLED')?.value,
    ])
    expect(seen).toEqual([
      ['jobs@pull.service', 'false'],
      ['social.service', 'true'],
    ])
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
