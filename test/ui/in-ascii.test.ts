import { describe, expect, it } from 'vitest'
import { inAscii, speaksUtf8 } from '../../src/ui/in-ascii.ts'
import { withoutColour } from '../../src/ui/without-colour.ts'
import { Screen } from './terminal.ts'

describe('whether the terminal draws more than ASCII', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'en_US.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{ LANG: 'POSIX' }, false],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'C', LC_ALL: 'C.UTF-8' }, true],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, true],
    [{ LC_ALL: '', LANG: 'C' }, false],
    [{ LANG: 'en_US.UTF-8', TERM: 'linux' }, false],
  ])('%o: %s', (environment, expected) => {
    expect(speaksUtf8(environment)).toBe(expected)
  })
})

describe('streams that leave things out', () => {
  it.each([
    ['│  ✔ done', '|  + done'],
    ['‘one’ “two” – three… → four', '\'one\' "two" - three. > four'],
    ['Müller résumé', 'Muller resume'],
    ['漢', '?'],
    ['plain \u001B[32mgreen\u001B[39m\n', 'plain \u001B[32mgreen\u001B[39m\n'],
  ])('%s in ASCII', (text, expected) => {
    const screen = new Screen()
    inAscii(screen.stream).write(text)
    expect(screen.written).toBe(expected)
  })

  it('one column stays one column', () => {
    const screen = new Screen()
    const text = '◆◇■▲✔◒◐◓◑│├─┌└╮●○▪•·’—…→'
    inAscii(screen.stream).write(text)
    expect(screen.written).toHaveLength([...text].length)
  })

  it('colours go, the cursor still moves, and the width is known', () => {
    const screen = new Screen(60)
    const stream = withoutColour(screen.stream)
    stream.write('\u001B[2K\u001B[1;32mgreen\u001B[0m\u001B[3A')
    expect(screen.written).toBe('\u001B[2Kgreen\u001B[3A')
    expect([stream.columns, stream.isTTY]).toEqual([60, true])
  })
})
