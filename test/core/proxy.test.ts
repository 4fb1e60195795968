import { describe, expect, test } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import { hasOnlyAllProxy, proxiesOf } from '../../src/core/proxy.ts'

const HTTPS_PROXY = 'http://proxy.example:3128'

const nameFor = (environment: Record<string, string>, url: string) =>
  proxiesOf(environment)?.(new URL(url))?.name

describe('which proxy an address is reached through', () => {
  test.each<[Record<string, string>, string, string | undefined]>([
    [{}, 'https://a.example', undefined],
    [{ HTTPS_PROXY: '' }, 'https://a.example', undefined],
    [{ HTTPS_PROXY }, 'https://a.example', 'proxy.example:3128'],
    [{ HTTPS_PROXY }, 'http://a.example', undefined],
    [{ https_proxy: HTTPS_PROXY }, 'https://a.example', 'proxy.example:3128'],
    [
      { HTTPS_PROXY, https_proxy: 'http://other.example' },
      'https://a.example',
      'proxy.example:3128',
    ],
    [{ HTTPS_PROXY: '', https_proxy: 'other.example' }, 'https://a.example', 'other.example:80'],
    [{ HTTP_PROXY: 'https://other.example' }, 'http://a.example', 'other.example:443'],
    [{ HTTP_PROXY: HTTPS_PROXY }, 'https://a.example', undefined],
    [{ ALL_PROXY: HTTPS_PROXY }, 'https://a.example', undefined],
    [{ HTTPS_PROXY: '[2001:db8::1]:3128' }, 'https://a.example', '[2001:db8::1]:3128'],
    [{ HTTPS_PROXY: 'user:secret@proxy.example:1' }, 'https://a.example', 'proxy.example:1'],
  ])('%j: %s → %s', (environment, url, expected) => {
    expect(nameFor(environment, url)).toBe(expected)
  })

  test.each([
    'https://localhost',
    'https://127.0.0.1:8443',
    'https://127.1.2.3',
    'https://[::1]:1',
  ])('never this machine itself: %s', (url) => {
    expect(nameFor({ HTTPS_PROXY }, url)).toBeUndefined()
  })
})

describe('NO_PROXY', () => {
  const direct: [list: string, host: string][] = [
    ['*', 'a.example'],
    ['a.example', 'a.example'],
    ['A.Example', 'a.example'],
    ['example', 'a.example'],
    ['.example', 'a.example'],
    ['*.example', 'a.example'],
    ['b.example, a.example', 'a.example'],
    ['a.example', 'a.example.'],
    ['a.example:443', 'a.example'],
    ['a.example:8443', 'a.example:8443'],
    ['10.0.0.0/8', '10.1.2.3'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3:443', '10.1.2.3'],
    ['2001:db8::/32', '[2001:db8::5]'],
    ['2001:db8::5', '[2001:db8::5]'],
    ['[2001:db8::5]:443', '[2001:db8::5]'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ]
  test.each(direct)('%s: %s without the proxy', (NO_PROXY, host) => {
    expect(nameFor({ HTTPS_PROXY, NO_PROXY }, `https://${host}/`)).toBeUndefined()
    expect(nameFor({ HTTPS_PROXY, no_proxy: NO_PROXY }, `https://${host}/`)).toBeUndefined()
  })

  const through: [list: string, host: string][] = [
    ['', 'a.example'],
    [',', 'a.example'],
    ['.a.example', 'a.example'],
    ['*.a.example', 'a.example'],
    ['a.example', 'ba.example'],
    ['a.example:80', 'a.example'],
    ['10.0.0.0/8', '11.0.0.1'],
    ['10.0.0.0/99', '10.0.0.1'],
    ['10.0.0.0/8', 'a.example'],
    ['a.example b.example', 'a.example'],
  ]
  test.each(through)('%j: %s through the proxy', (NO_PROXY, host) => {
    expect(nameFor({ HTTPS_PROXY, NO_PROXY }, `https://${host}/`)).toBe('proxy.example:3128')
  })
})

test.each([
  ['HTTPS_PROXY', 'socks5://user:hush@proxy.example:1080', 'socks5://'],
  ['HTTP_PROXY', 'socks5h://proxy.example', 'socks5h://'],
  ['HTTPS_PROXY', 'http://user:hush@', 'no address'],
  ['HTTPS_PROXY', 'http://proxy.example:99999999', 'no address'],
  ['HTTPS_PROXY', 'hush and more', 'no address'],
  ['HTTPS_PROXY', 'http://me:hush%@proxy.example', '%25'],
])('%s=%s is refused, and not shown', (name, value, why) => {
  let problem: unknown
  try {
    proxiesOf({ [name]: value })
  } catch (error) {
    problem = error
  }
  expect(problem).toMatchObject({ code: 'proxy-not-usable', exit: 2 })
  const { what, next, ...told } = problem as Problem
  expect(what).toContain(name)
  expect(String(told.why)).toContain(why)
  expect(`${what} ${told.why} ${next}`).not.toContain('hush')
})

test('name and password are a secret', () => {
  const proxy = proxiesOf({ HTTPS_PROXY: 'http://me%40x:p%3As@proxy.example' })?.(
    new URL('https://a.example'),
  )
  expect(JSON.stringify(proxy)).not.toContain('p%3As')
  const sent = proxy?.credentials?.reveal().replace('Basic ', '') ?? ''
  expect(Buffer.from(sent, 'base64').toString()).toBe('me@x:p:s')
})

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ ALL_PROXY: 'socks5://x' }, true],
  [{ all_proxy: 'http://x' }, true],
  [{ ALL_PROXY: 'http://x', https_proxy: 'http://x' }, false],
])('%j: whether ALL_PROXY alone is set', (environment, expected) => {
  expect(hasOnlyAllProxy(environment)).toBe(expected)
})
