import { expect, test } from 'vitest'
import { taking } from '../../../src/services/s3/listing.ts'

const entry = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><Size>5</Size><LastModified>2026-11-22T10:00:00Z</LastModified>${more}</Contents>`

test('entries are taken out, the rest stays', () => {
  const owner = '<Owner><ID>1</ID></Owner><StorageClass>STANDARD</StorageClass>'
  const text = `<R><A/>${entry('a', owner)}\n${entry('b&#x26;&#38;&amp;&lt;', '<ETag>&quot;e&quot;</ETag>')}<B/></R>`
  const lastModified = Date.UTC(2026, 10, 22, 10)
  expect(taking(text)).toEqual({
    entries: [
      { key: 'a', size: 5, etag: '', lastModified },
      { key: 'b&&&<', size: 5, etag: 'e', lastModified },
    ],
    rest: '<R><A/>\n<B/></R>',
  })
})

test.each([
  ['cut off', entry('a').slice(0, -5)],
  ['without a key', entry('a').replace(/<Key>.*<\/Key>/, '')],
  ['a size that is none', entry('a').replace('>5<', '>five<')],
  ['without a time', entry('a').replace('LastModified', 'Modified')],
  ['CDATA', entry('<![CDATA[a]]>')],
  ['a comment', `<!-- ${entry('a')} -->`],
])('left to the SDK: %s', (_, text) => {
  expect(taking(`<R>${text}</R>`)).toBeUndefined()
})

test('nothing listed', () => {
  expect(taking('<R></R>')).toEqual({ entries: [], rest: '<R></R>' })
})
