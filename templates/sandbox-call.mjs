// Hands a call of a program to the sandbox, and prints what it answers.
import { request } from 'node:http'
import { createInterface } from 'node:readline'

const { SANDBOX_PROGRAM: url, ...env } = process.env
const seen = ['RAILS_ENV', 'USER', 'HOME'].filter((name) => env[name] !== undefined)
const call = {
  args: process.argv.slice(2),
  cwd: process.cwd(),
  env: Object.fromEntries(seen.map((name) => [name, env[name]])),
}

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
