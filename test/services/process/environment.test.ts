import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { childEnvironment } from '../../../src/services/process/environment.ts'

const passes = (program: string, name: string, inherits: string[] = []) =>
  childEnvironment({ program, args: [], env: {}, inherits }, { [name]: 'value' })[name] === 'value'

describe('what a program sees of our environment', () => {
  it.each([
    ...['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'TERM'],
    ...['SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ])('%s: every program', (name) => {
    for (const program of ['rclone', 'docker', 'systemctl', 'bin/tootctl', 'x']) {
      expect(passes(program, name), program).toBe(true)
    }
  })

  it.each([
    ...['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_ACCOUNT_ID', 'MASTODON_R2_BUCKET', 'MY_PATH'],
    ...['AWS_CA_BUNDLE', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'RCLONE_VERBOSE', 'DB_PASS'],
    ...['RCLONE_CONFIG_R2_TYPE', 'GITHUB_TOKEN', 'SSH_AUTH_SOCKET', 'SECRET_KEY_BASE'],
  ])('%s: no program', (name) => {
    for (const program of [
      'rclone',
      'docker',
      'systemctl',
      'bin/tootctl',
      'sudo',
      '/a/node',
      'x',
    ]) {
      expect(passes(program, name), program).toBe(false)
    }
  })

  it.each([
    ['docker', 'DOCKER_HOST'],
    ['docker', 'COMPOSE_PROJECT_NAME'],
    ['rclone', 'GOMAXPROCS'],
    ['/usr/bin/node', 'NODE_OPTIONS'],
    ['bin/tootctl', 'RBENV_VERSION'],
    ['sudo', 'SUDO_ASKPASS'],
    ['apt-get', 'DEBIAN_FRONTEND'],
  ])('%s sees %s, others do not', (program, name) => {
    expect(passes(program, name)).toBe(true)
    expect(passes('other', name)).toBe(false)
  })

  it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'no_proxy'])(
    '%s, which may hold a password: who talks to the network, and nobody else',
    (name) => {
      for (const program of ['rclone', '/usr/bin/docker', 'apt-get', 'sudo']) {
        expect(passes(program, name), program).toBe(true)
      }
      for (const program of ['bin/tootctl', 'systemctl', 'node', 'nginx', 'runuser']) {
        expect(passes(program, name), program).toBe(false)
      }
    },
  )

  it('a command may ask for more, and sets its own', () => {
    expect(passes('docker', 'TAG', ['TAG'])).toBe(true)
    const env = { KEY: new Secret('hush'), PATH: '/own' }
    const command = { program: 'x', args: [], env }
    expect(childEnvironment(command, { PATH: '/theirs', KEY: 'other', GONE: undefined })).toEqual({
      PATH: '/own',
      KEY: 'hush',
    })
  })

  it.each([
    ['where this process has none', {}, '400'],
    ['and never over what it has', { GOGC: '50' }, '50'],
  ])('a usual value is set %s', (_, own, value) => {
    const command = { program: 'rclone', args: [], env: {}, usual: { GOGC: '400' } }
    expect(childEnvironment(command, own).GOGC).toBe(value)
  })
})
