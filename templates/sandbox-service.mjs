// One of Mastodon's services in a rehearsal. Its life and its title are those of the real one; the
// work is done by the sandbox, which starts it and reads what it says, one word a line:
//   begin PID   reads its settings now      ready PID   serves from now on
//   tick PID    stores one upload           end PID     is gone
// and writes: done (an upload is stored), reload (web: new workers with new settings).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const [, script, role, bootMs, everyMs] = process.argv
const WORKERS = 2
const CONCURRENCY = 5

let busy = 0
let state = ''
let timer

const say = (word) => process.stdout.write(`${word} ${process.pid}\n`)
const boot = (then) => setTimeout(then, Number(bootMs))
const lines = createInterface({ input: process.stdin })
// The sandbox is gone, and so is its Mastodon.
lines.on('close', () => process.exit())
process.stdout.on('error', () => process.exit())

if (role === 'sidekiq') sidekiq()
if (role === 'web') web()
if (role === 'worker') worker()

function sidekiq() {
  process.title = 'ruby bin/bundle exec sidekiq'
  say('begin')
  const title = () => {
    process.title = `sidekiq 7.3.9 live [${busy} of ${CONCURRENCY} busy]${state}`
    if (state === ' stopping' && busy === 0) process.exit()
  }
  boot(() => {
    title()
    say('ready')
    if (state === '') every(title)
  })
  lines.on('line', () => {
    busy = Math.max(0, busy - 1)
    title()
  })
  const finish = (how) => () => {
    clearInterval(timer)
    state = how
    title()
  }
  process.on('SIGTSTP', finish(' quiet'))
  process.on('SIGTERM', finish(' stopping'))
}

function web() {
  process.title = 'ruby bin/bundle exec puma'
  let workers = []
  const start = () => {
    const args = [script, 'worker', bootMs, String(Number(everyMs) * WORKERS)]
    return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  }
  const renew = () => {
    const old = workers
    let missing = WORKERS
    workers = Array.from({ length: WORKERS }, start)
    for (const child of workers) {
      child.on('close', () => process.stdout.write(`end ${child.pid}\n`))
      createInterface({ input: child.stdout }).on('line', (line) => {
        process.stdout.write(`${line}\n`)
        if (!line.startsWith('ready') || --missing > 0) return
        process.title = 'puma 6.6.0 (tcp://127.0.0.1:3000) [live]'
        for (const one of old) one.kill()
      })
    }
  }
  say('begin')
  renew()
  lines.on('line', renew)
  process.on('SIGTERM', () => {
    for (const child of workers) child.kill()
    process.exit()
  })
}

function worker() {
  process.title = `puma: cluster worker 0: ${process.ppid} [live]`
  say('begin')
  boot(() => {
    say('ready')
    every(() => {})
  })
}

/** Uploads, unless the rehearsal wants none. */
function every(then) {
  if (Number(everyMs) === 0) return
  timer = setInterval(() => {
    busy += 1
    say('tick')
    then()
  }, Number(everyMs))
}
