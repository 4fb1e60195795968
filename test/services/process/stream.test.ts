import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import type { StreamOptions } from '../../../src/services/process/port.ts'
import { stream } from '../../../src/services/process/stream.ts'

const environment = { PATH: process.env.PATH, FROM_SHELL: 'yes', AWS_REGION: 'eu' }

/** Runs a script in Node and gives its end with the lines it told. */
async function told(script: string, options: Partial<StreamOptions> = {}) {
  const lines: string[] = []
  const command = {
    program: process.execPath,
    args: ['-e', script],
    env: { KEY: new Secret('hush') },
  }
  const onLine = (line: string) => void lines.push(line)
  const end = await stream(command, { environment, onLine, ...options })
  return { ...end, lines }
}

/** The same, with an interruption as soon as it says that it is up. */
async function interruptedAtUp(script: string) {
  const control = new AbortController()
  const lines: string[] = []
  const onLine = (line: string) => {
    lines.push(line)
    if (line === 'up') control.abort()
  }
  return { ...(await told(script, { onLine, interrupted: control.signal })), lines }
}

describe('lines', () => {
  it('tells each of them, on either stream, the last one without an end too', async () => {
    const script = 'console.log("a\\nb\\r"); console.error("c"); process.stdout.write("d")'
    const { lines, ...end } = await told(script)
    expect(lines.filter((line) => line !== 'c')).toEqual(['a', 'b', 'd'])
    expect(lines).toContain('c')
    expect(end).toEqual({ exitCode: 0, aborted: false })
  })

  it.each([
    ['a line separator', 'a\u2028b\u2029c\u0085d'],
    ['a carriage return', 'a\rb'],
    ['characters of several bytes', '🐘é'.repeat(15_000)],
  ])('leaves %s inside a line', async (_, line) => {
    expect((await told(`console.log(${JSON.stringify(line)})`)).lines).toEqual([line])
  })

  it('tells an endless line in pieces', async () => {
    const { lines } = await told('process.stdout.write("x".repeat(3 * 1048576))')
    expect(lines.join('').length).toBe(3 * 1_048_576)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1.2 * 1_048_576)
    expect(lines.length).toBeGreaterThan(1)
  })

  it('keeps none of a million', async () => {
    const script =
      'const l = "x".repeat(99) + "\\n"; for (let i = 0; i < 1e4; i++) process.stdout.write(l.repeat(100))'
    let count = 0
    let most = 0
    const before = process.memoryUsage().rss
    await told(script, {
      onLine: () => {
        count += 1
        if (count % 50_000 === 0) most = Math.max(most, process.memoryUsage().rss)
      },
    })
    expect(count).toBe(1_000_000)
    expect(most - before).toBeLessThan(120 * 1_048_576)
  })

  it('passes on what a listener throws, once the program has ended', async () => {
    const onLine = () => {
      throw new Error('bug')
    }
    const running = told('console.log(1); setInterval(() => {}, 1000)', { onLine })
    await expect(running).rejects.toThrow('bug')
  })
})

describe('input', () => {
  it('comes from an iterable, more of it than a pipe holds', async () => {
    function* many() {
      for (let index = 0; index < 20_000; index++) yield `line ${index}\n`
    }
    const { lines } = await told('process.stdin.pipe(process.stdout)', { input: many() })
    expect([lines.length, lines.at(-1)]).toEqual([20_000, 'line 19999'])
  })

  it('is closed without any', async () => {
    const script = 'process.stdin.resume().on("end", () => console.log("end"))'
    expect((await told(script)).lines).toEqual(['end'])
  })

  it('need not be read', async () => {
    async function* endless() {
      for (;;) yield 'x'.repeat(10_000)
    }
    const { exitCode } = await told('process.stdin.destroy(); process.exit(4)', {
      input: endless(),
    })
    expect(exitCode).toBe(4)
  })

  it('that never comes does not keep the end', async () => {
    async function* never(): AsyncGenerator<string> {
      await new Promise(() => undefined)
    }
    expect((await told('process.exit(0)', { input: never() })).exitCode).toBe(0)
  })

  it('that fails ends the program and is passed on', async () => {
    async function* failing() {
      yield 'a\n'
      throw new Error('no more')
    }
    const running = told('setInterval(() => {}, 1000)', { input: failing() })
    await expect(running).rejects.toThrow('no more')
  })
})

describe('the end', () => {
  it('tells of an exit code and of a signal', async () => {
    expect((await told('process.exit(7)')).exitCode).toBe(7)
    expect((await told('process.kill(process.pid, "SIGKILL")')).exitCode).toBeUndefined()
  })

  it('is asked for gently, and what is said after that is told', async () => {
    const control = new AbortController()
    const script =
      'process.on("SIGINT", () => { console.log("bye"); process.exit(2) }); console.log("up"); setInterval(() => {}, 1000)'
    const lines: string[] = []
    const onLine = (line: string) => {
      lines.push(line)
      if (line === 'up') control.abort()
    }
    const end = await told(script, { onLine, signal: control.signal })
    expect(end).toMatchObject({ exitCode: 2, aborted: true })
    expect(lines).toEqual(['up', 'bye'])
  })

  it('is brought about when patience ends', async () => {
    const control = new AbortController()
    const script = 'process.on("SIGINT", () => {}); console.log("up"); setInterval(() => {}, 1000)'
    const onLine = () => control.abort()
    const end = await told(script, { onLine, signal: control.signal, patienceMs: 200 })
    expect(end).toMatchObject({ exitCode: undefined, aborted: true })
  })

  it('is waited for a moment when the terminal may have asked already', async () => {
    const script =
      'process.on("SIGINT", () => console.log("asked")); console.log("up"); setTimeout(() => process.exit(3), 200)'
    const end = await interruptedAtUp(script)
    expect(end).toEqual({ exitCode: 3, aborted: true, lines: ['up'] })
  })

  it('is asked for then, should nobody have done so', async () => {
    const script =
      'process.on("SIGINT", () => { console.log("bye"); process.exit(2) }); console.log("up"); setInterval(() => {}, 1000)'
    const end = await interruptedAtUp(script)
    expect(end).toEqual({ exitCode: 2, aborted: true, lines: ['up', 'bye'] })
  })

  it('does not wait for what the program leaves behind', async () => {
    const control = new AbortController()
    const script =
      'require("child_process").spawn("sleep", ["15"], { stdio: "inherit", detached: true }); console.log("up"); setInterval(() => {}, 1000)'
    const began = Date.now()
    const end = await told(script, { onLine: () => control.abort(), signal: control.signal })
    expect(end.aborted).toBe(true)
    expect(Date.now() - began).toBeLessThan(10_000)
  })

  it.each(['signal', 'interrupted'])(
    'comes before the start when already asked for: %s',
    async (by) => {
      const { aborted, lines } = await told('console.log(1)', { [by]: AbortSignal.abort() })
      expect([aborted, lines]).toEqual([true, []])
    },
  )
})

describe('the start', () => {
  const whereabouts = `const { readFileSync } = require("fs")
    const job = (pid) => readFileSync("/proc/" + pid + "/stat", "utf8").split(") ").at(-1).split(" ").slice(2, 4).join()
    console.log(JSON.stringify([job("self"), job(process.ppid), process.pid, process.cwd()]))`

  it('is in a session of its own, in the folder that is told', async () => {
    const { lines } = await told(whereabouts, { cwd: '/' })
    const [own, , pid, folder] = JSON.parse(lines[0] ?? '')
    expect([own, folder]).toEqual([`${pid},${pid}`, '/'])
  })

  it('makes it one job with this process when both may be interrupted', async () => {
    const { lines } = await told(whereabouts, { interrupted: new AbortController().signal })
    const [own, parents] = JSON.parse(lines[0] ?? '')
    expect(own).toBe(parents)
  })

  it.each([
    ['missing', undefined, 'program-missing'],
    ['not to be run', 0o600, 'program-not-started'],
  ])('a program that is %s', async (_, mode, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-stream-'))
    const program = join(folder, 'plain')
    if (mode !== undefined) await writeFile(program, 'text', { mode })
    const command = { program, args: [], env: {} }
    const running = stream(command, { environment, onLine: () => undefined, input: ['a'] })
    await expect(running).rejects.toMatchObject({ code })
    await rm(folder, { recursive: true })
  })
})
