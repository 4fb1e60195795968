import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { ENV } from './machine.ts'
import { openMigratingServer } from './migrating-server.ts'

/** The old provider: it answers each request as it was told. */
let answer = { status: 200, body: '', headers: {} as Record<string, string> }
const provider = createServer((request, response) => {
  response.writeHead(answer.status, { 'content-type': 'application/xml', ...answer.headers })
  response.end(request.method === 'HEAD' ? '' : answer.body)
}).listen(0, '127.0.0.1')
await new Promise((resolve) => provider.once('listening', resolve))
const { port } = provider.address() as AddressInfo

const lines = (endpoint: string) => `S3_ENABLED=true
S3_BUCKET=my-media
S3_REGION=us-east-1
S3_ENDPOINT=${endpoint}
S3_ALIAS_HOST=old.example.net
AWS_ACCESS_KEY_ID=OLDKEY0000000000
AWS_SECRET_ACCESS_KEY=old/secret/of/ours
`
const server = await openMigratingServer({
  media: 2,
  settings: async () => lines(`http://localhost:${port}`),
})
const text = server.at.read()
beforeEach(() => server.at.write(ENV, text))
afterAll(async () => {
  await server.close()
  provider.closeAllConnections()
  provider.close()
})

const xml = (code: string, more = '') =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Words.</Message>${more}</Error>`

async function refused(status: number, body: string, headers = {}) {
  answer = { status, body, headers }
  const { code, stdout, stderr } = await server.migrateHere(['--stage', 'survey', '--json'])
  const { problem } = JSON.parse(stdout)
  const said = `${problem.what} ${problem.why} ${problem.next}`
  expect({ code, stderr }).toMatchObject({ code: 1 })
  // R2's advice would be harmful there.
  expect(said).not.toMatch(/R2 says|Cloudflare|mastodon-r2 (init|rotate)|old\/secret/)
  return said
}

describe('what the old provider refuses is told with its own words', () => {
  test.each([
    [
      '301 PermanentRedirect names the region and the endpoint',
      301,
      xml('PermanentRedirect', '<Endpoint>my-media.s3.eu-west-2.example.net</Endpoint>'),
      { 'x-amz-bucket-region': 'eu-west-2' },
      /region eu-west-2\.[\s\S]*\n {2}S3_REGION=eu-west-2\n {2}S3_ENDPOINT=https:\/\/s3\.eu-west-2\.example\.net/,
    ],
    [
      '400 AuthorizationHeaderMalformed names the region',
      400,
      xml('AuthorizationHeaderMalformed', '<Region>eu-central-2</Region>'),
      {},
      /region eu-central-2\. It was asked for in the region us-east-1[\s\S]*\n {2}S3_REGION=eu-central-2/,
    ],
    ['an unknown key', 403, xml('InvalidAccessKeyId'), {}, /does not know the access key\./],
    [
      'a secret that does not fit',
      403,
      xml('SignatureDoesNotMatch'),
      {},
      /secret does not fit the access key/,
    ],
    ['no such bucket', 404, xml('NoSuchBucket'), {}, /There is no bucket my-media at/],
    [
      'no right to list',
      403,
      xml('AccessDenied'),
      {},
      /may not list the bucket my-media[\s\S]*s3:ListBucket/,
    ],
  ])('%s', async (_, status, body, headers, words) => {
    expect(await refused(status, body, headers)).toMatch(words)
  })
})

// No other name in two parts leads to this machine everywhere.
test('the bucket in the endpoint’s host', async () => {
  const inHost = text.replace('//localhost:', '//127.0.0.1:').replace('=my-media', '=127')
  server.at.write(ENV, inHost)
  expect(await refused(404, xml('NoSuchBucket'))).toMatch(
    /S3_ENDPOINT has the bucket's name in it: 127\.0\.0\.1:\d+\.[\s\S]*\n {2}S3_ENDPOINT=http:\/\/0\.0\.1:\d+$/,
  )
})
