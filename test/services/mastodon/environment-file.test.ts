import { expect, test } from 'vitest'
import { readEnvironmentFile } from '../../../src/services/mastodon/systemd.ts'

// Rules of systemd's src/basic/env-file.c.
test.each<[text: string, values: Record<string, string>]>([
  ['A=', { A: '' }],
  ["A=''", { A: '' }],
  ['A=x # c', { A: 'x # c' }],
  ['A=x#c', { A: 'x#c' }],
  ['A=a$b${c}$(d)', { A: 'a$b${c}$(d)' }],
  ['A=a\\nb', { A: 'anb' }],
  ['A="a\\nb\\"c\\$d"', { A: 'a\\nb"c$d' }],
  ["A='a\\nb'", { A: 'a\\nb' }],
  ['export A=x\nB=1', { B: '1' }],
  ['A = x  ', { A: 'x' }],
  ['A: x\nB=1', { B: '1' }],
  ['A=x\r\nB=y\r\n', { A: 'x', B: 'y' }],
  ['A=1\nA=2', { A: '2' }],
  ['A\nB=1', { B: '1' }],
  ["A='1\n2'\nB=3", { A: '1\n2', B: '3' }],
  ["A='a' 'b'", { A: 'ab' }],
  ["A=it's\nB=1", { A: "it's", B: '1' }],
  ['A=1\\\n2\nB=3', { A: '12', B: '3' }],
  ['; B=1\n# C=2\n  D=3', { D: '3' }],
  ['# ends so \\\nA=1', { A: '1' }],
  ['A="open\nB=1', { A: 'open\nB=1' }],
  ['A=x\\ ', { A: 'x ' }],
  ['A=one \\$two  \\three four', { A: 'one $two  three four' }],
  ['A=1 \\\n2', { A: '1 2' }],
  ['A=1 \\\n', { A: '1 ' }],
  ['A=1 \\', { A: '1 ' }],
  ['\uFEFFA=1\nB=2', { B: '2' }],
  ['1A=x\n=y', {}],
  ['=\\\nB=1', { B: '1' }],
  ['', {}],
  // Bytes that are not UTF-8 (see fileText), and signs that Unicode has no use for: none of the file counts.
  ['A=1\nB=caf\udce9\nC=3', {}],
  ['A=1\ncaf\udce9=2', {}],
  ['A=1\nB="\uFFFE"', {}],
  ['A=1\n# caf\udce9\nB=2', { A: '1', B: '2' }],
  ['caf\udce9\nB=2', { B: '2' }],
])('%j', (text, values) => {
  expect(Object.fromEntries(readEnvironmentFile(text))).toEqual(values)
})
