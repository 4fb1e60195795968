import { describe, expect, it } from 'vitest'
import { hyperlink, showsLinks } from '../../src/ui/hyperlinks.ts'

describe('links that a click opens', () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { TERM: 'xterm-kitty' }],
    [true, { TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }],
    [true, { TERM: 'xterm-256color', VTE_VERSION: '7600' }],
    [true, { TERM: 'xterm-256color', WT_SESSION: 'x' }],
    [true, { TERM: 'dumb', FORCE_HYPERLINK: '1' }],
    [false, { TERM: 'xterm-kitty', FORCE_HYPERLINK: '0' }],
    [false, { TERM: 'xterm-256color' }],
    [false, { TERM: 'xterm-256color', VTE_VERSION: '4999' }],
    [false, { TERM: 'screen-256color', VTE_VERSION: '7600' }],
    [false, { TERM: 'linux' }],
    [false, {}],
  ])('%s where the terminal says %j', (expected, environment) => {
    expect(showsLinks(environment)).toBe(expected)
  })

  it('the address is shown whole, and is where it leads', () => {
    const url = 'https://dash.example/?a=b'
    expect(hyperlink(url).split(url)).toEqual(['\u001B]8;;', '\u001B\\', '\u001B]8;;\u001B\\'])
  })
})
