// A small bucket on this machine that answers after a while, and grants so many requests a second; for so
// many seconds, where that is told: node slow-bucket.mjs MILLISECONDS [REQUESTS A SECOND [SECONDS]].
// Keeps keys and no contents. Prints its address; GET /told counts.
import { createServer } from 'node:http'

const [delay, granted = Number.POSITIVE_INFINITY, seconds] = process.argv.slice(2).map(Number)
let perSecond = granted
const told = { granted: 0, refused: 0, objects: 0 }
/** Of each second since the first request. */
const grantedIn = []
let began
const keys = new Set()
const begun =
  '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>'
/** What may still be asked for; it fills up all the time, to a tenth of a second's worth. */
let [left, filled] = [perSecond / 10, performance.now()]

const server = createServer((request, response) => {
  if (request.url === '/told') {
    response.end(JSON.stringify({ ...told, objects: keys.size, grantedIn }))
    return
  }
  if (began === undefined) begin()
  request.resume()
  request.on('end', () => setTimeout(() => answer(request, response), delay))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', 4096, () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})

function begin() {
  began = performance.now()
  if (seconds === undefined) return
  setTimeout(() => {
    perSecond = Number.POSITIVE_INFINITY
  }, seconds * 1000)
}

function answer({ method, url }, response) {
  if (!isGranted()) {
    told.refused += 1
    response.writeHead(503, { 'content-type': 'application/xml' })
    response.end('<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>')
    return
  }
  told.granted += 1
  const second = Math.floor((performance.now() - began) / 1000)
  grantedIn[second] = (grantedIn[second] ?? 0) + 1
  const [path, query = ''] = url.split('?')
  const key = path.split('/').slice(2).join('/')
  if (method === 'POST') {
    const isBegun = query.startsWith('uploads')
    if (!isBegun) keys.add(key)
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(isBegun ? begun : '<CompleteMultipartUploadResult/>')
  } else if (method === 'PUT') {
    if (!query.includes('partNumber=')) keys.add(key)
    response.writeHead(200, { etag: '"0"' })
    response.end()
  } else if (query.includes('list-type')) {
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>')
  } else {
    response.writeHead(key === '' || keys.has(key) ? 200 : 404)
    response.end()
  }
}

function isGranted() {
  if (perSecond === Number.POSITIVE_INFINITY) return true
  const now = performance.now()
  left = Math.min(perSecond / 10, left + ((now - filled) / 1000) * perSecond)
  filled = now
  if (left < 1) return false
  left -= 1
  return true
}
