import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { render } from '../src/template.ts'

test.each<[template: string, values: Record<string, string>, text: string]>([
  ['A={{A}}\n', { A: 'x' }, 'A=x\n'],
  ['{{A}}{{A}}', { A: 'x' }, 'xx'],
  ['{{A}}', { A: '' }, ''],
  ['{{A}} {{B_2}}', { A: '{{B_2}}', B_2: '$&' }, '{{B_2}} $&'],
  ['plain { } text', {}, 'plain { } text'],
  ['A={{A}}\n  B={{B?}};\nC\n', { A: 'x', B: 'y' }, 'A=x\n  B=y;\nC\n'],
  ['A={{A}}\n  B={{B?}};\nC\n', { A: '{{B?}}' }, 'A={{B?}}\nC\n'],
])('%j with %j', (template, values, text) => {
  expect(render(template, values)).toBe(text)
})

test.each<[template: string, values: Record<string, string>, message: string]>([
  ['{{A}}', {}, 'The template names {{A}}, which has no value.'],
  ['{{toString}}', {}, 'outside a {{NAME}}'],
  ['{{ A }}', { A: 'x' }, 'outside a {{NAME}}'],
  ['{{A}', { A: 'x' }, 'outside a {{NAME}}'],
  ['x', { A: 'x', B: 'y' }, 'The template never names A, B.'],
])('%j with %j is an error', (template, values, message) => {
  expect(() => render(template, values)).toThrow(message)
})

test('the env block has the nine lines in their order, two at need, and no quote', () => {
  const template = readFileSync(
    join(import.meta.dirname, '../templates/env-production.txt'),
    'utf8',
  )
  const lines = template.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const keys = lines.map((line) => /^([A-Z0-9_]+)=\{\{(\1\??)\}\}$/.exec(line)?.[2])
  expect(keys).toEqual([
    ...['S3_ENABLED', 'S3_BUCKET', 'S3_REGION', 'S3_ENDPOINT', 'S3_PROTOCOL', 'S3_PERMISSION'],
    ...['S3_ALIAS_HOST', 'S3_FORCE_SINGLE_REQUEST?', 'EXTRA_MEDIA_HOSTS?'],
    ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ])
  expect(template).not.toMatch(/['"\\]/)
  expect(template.startsWith('#')).toBe(true)
})
