import { expect, test } from 'vitest'
import { parseConnectTo } from '../../src/core/connect-to.ts'

test.each([
  ['files.example.com:443:127.0.0.1:8443', ['files.example.com', '443', '127.0.0.1', '8443']],
  ['::127.0.0.1:8443', ['', '', '127.0.0.1', '8443']],
  [':443:localhost:8443', ['', '443', 'localhost', '8443']],
  ['Files.Example.com::[::1]:8443', ['files.example.com', '', '::1', '8443']],
  ['[2001:db8::1]:443:[::1]:8443', ['2001:db8::1', '443', '::1', '8443']],
  ['example.com:443:other.example:', ['example.com', '443', 'other.example', '']],
])('%s', (text, [host, port, toHost, toPort]) => {
  expect(parseConnectTo(text)).toEqual({ host, port, toHost, toPort })
})

test.each([
  '',
  'example.com',
  'example.com:443',
  'example.com:443::8443',
  'example.com:https:127.0.0.1:8443',
  'example.com:443:127.0.0.1:99999',
  'example.com:443:::1:8443',
  'a b:443:127.0.0.1:8443',
  'example.com:443:127.0.0.1:8443:1',
])('refuses %j', (text) => {
  expect(parseConnectTo(text)).toBeUndefined()
})
