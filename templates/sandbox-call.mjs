// Hands a call of a program to the sandbox, and prints what it answers.
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

const { SANDBOX_PROGRAM: url, ...env } = process.env
const seen = ['RAILS_ENV', 'USER', 'HOME'].filter((name) => env[name] !== undefined)
const call = {
  args: process.argv.slice(2),
  cwd: process.cwd(),
  env: Object.fromEntries(seen.map((name) => [name, env[name]])),
}
// A program that does not read it must not wait for it.
if (call.args.some((word) => word.includes('$stdin'))) call.input = await text(process.stdin)

process.exitCode = 1
const gone = () => process.stderr.write('The sandbox is gone.\n')
const sent = request(url, { method: 'POST' }, (response) => {
  if (response.statusCode !== 200) gone()
  createInterface({ input: response }).on('line', (line) => {
    const end = line.indexOf(' ')
    const [stream, words] = [line.slice(0, end), line.slice(end + 1)]
    if (stream === '1') process.stdout.write(`${words}\n`)
    if (stream === '2') process.stderr.write(`${words}\n`)
    if (stream === 'exit') process.exitCode = Number(words)
  })
  response.on('error', gone)
})
sent.on('error', gone)
sent.end(JSON.stringify(call))
