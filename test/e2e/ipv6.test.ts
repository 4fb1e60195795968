import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { isRequired } from '../requirement.ts'
import { ENV } from './machine.ts'
import { rcloneMissing } from './migrating-server.ts'
import { cli } from './program.ts'
import { HOST, openStage } from './stage.ts'

/** Brings up a machine that has nothing but ::1, and there runs what follows. */
const NOTHING_BUT_V6 = 'ip link set lo up && ip addr del 127.0.0.1/8 dev lo'

function whyNot(): string | undefined {
  if (rcloneMissing !== undefined) return rcloneMissing
  try {
    execFileSync('unshare', ['-n', '-m', 'sh', '-c', NOTHING_BUT_V6], { timeout: 10_000 })
    return undefined
  } catch (cause) {
    if (isRequired('ip')) throw new Error('No network of its own.', { cause })
    return '(no network of its own can be made here: that takes root, unshare and ip)'
  }
}

const hindrance = whyNot()
const stage = hindrance === undefined ? await openStage({ emulator: 'eager' }) : undefined
const relays: Server[] = []
afterAll(async () => {
  for (const relay of relays) relay.close()
  await stage?.close()
})

/** Listens in there on ::1, and passes on through the file system, which both sides see. */
const INSIDE = `
const { connect, createServer } = require('node:net')
let left = process.argv.length - 2
for (const port of process.argv.slice(2)) createServer((one) => {
  const other = connect('./' + port)
  one.on('error', () => other.destroy()).pipe(other)
  other.on('error', () => one.destroy()).pipe(one)
}).listen(Number(port), '::1', () => { if (--left === 0) console.log('listens') })`

const NAMES = { api: 'api.example', s3: 'r2.example' }

function portOf(address: string): string {
  return /:(\d+)(?:\/|$)/.exec(address)?.[1] ?? ''
}

test.skipIf(hindrance)(`a machine with IPv6 alone ${hindrance ?? ''}`, async () => {
  if (!stage) throw new Error(hindrance)
  const { sandbox } = stage
  const at = stage.machine(undefined, { 'public/system/cache/a.png': 'a picture' })
  const [api, s3, web = ''] = [sandbox.apiUrl, sandbox.s3Url(), ...sandbox.connectTo].map(portOf)
  for (const port of [api, s3, web]) {
    const relay = createServer((one) => {
      const other = connect(Number(port), '127.0.0.1')
      one.on('error', () => other.destroy()).pipe(other)
      other.on('error', () => one.destroy()).pipe(one)
    })
    relays.push(relay)
    await new Promise<void>((resolve) => relay.listen(join(at.tmp, String(port)), resolve))
  }
  writeFileSync(join(at.tmp, 'hosts'), `::1 ${Object.values(NAMES).join(' ')} ${HOST}\n`)
  writeFileSync(join(at.tmp, 'inside.cjs'), INSIDE)
  const flags = `--s3-endpoint-url http://${NAMES.s3}:${s3} --connect-to '${HOST}::[::1]:${web}'`
  const lines = [
    `init --media-host ${HOST} --existing-media prepare --yes`,
    'check',
    'migrate --stage copy --media-dir public/system --yes',
    'migrate --stage compare --media-dir public/system',
  ]
  const script = [
    'set -e',
    NOTHING_BUT_V6,
    `mount --bind '${at.tmp}/hosts' /etc/hosts`,
    `(cd '${at.tmp}' && exec '${process.execPath}' inside.cjs ${api} ${s3} ${web} >listens) & relay=$!`,
    `until [ -s '${at.tmp}/listens' ]; do sleep 0.05; done`,
    ...lines.map(
      (line) => `'${process.execPath}' '${cli}' ${line} ${flags} 2>&1 || echo "ended with $?"`,
    ),
    'kill $relay',
  ].join('\n')
  const { stdout: told } = await promisify(execFile)(
    'unshare',
    ['-n', '-m', 'bash', '-c', script],
    {
      cwd: at.dir,
      env: {
        ...stage.environment(at),
        PATH: process.env.PATH,
        XDG_STATE_HOME: at.tmp,
        CLOUDFLARE_BASE_URL: `http://${NAMES.api}:${api}/client/v4`,
      },
      timeout: 60_000,
    },
  )
  expect(told).not.toContain('ended with')
  expect(told).toMatch(/Name of the media host/)
  expect(told).toContain('Both sides are equal.')
  expect(readFileSync(at.path(ENV), 'utf8')).toContain(`S3_ENDPOINT=http://${NAMES.s3}:${s3}`)
})
