import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { run, start } from '../../../src/services/process/run.ts'

const environment = { PATH: process.env.PATH, LANG: 'C.UTF-8' }

const node = (script: string, env: Record<string, string | Secret> = {}) => ({
  program: process.execPath,
  args: ['-e', script],
  env,
})

describe('run', () => {
  it('gives output and exit code', async () => {
    const command = node('console.log("out"); console.error("err"); process.exitCode = 3')
    expect(await run(command, { environment })).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  it('passes on the given environment, the revealed secrets, and nothing else', async () => {
    const command = node('console.log(JSON.stringify(process.env))', { KEY: new Secret('hush') })
    const { stdout } = await run(command, { environment })
    expect(JSON.parse(stdout)).toEqual({ ...environment, KEY: 'hush' })
  })

  it('gives the input, or none', async () => {
    const command = node('process.stdin.pipe(process.stdout)')
    expect((await run(command, { environment, input: 'given' })).stdout).toBe('given')
    expect((await run(command, { environment })).stdout).toBe('')
  })

  it('tells of an end by signal', async () => {
    const command = node('process.kill(process.pid, "SIGKILL")')
    expect((await run(command, { environment })).exitCode).toBeUndefined()
  })

  it('names a missing program', async () => {
    const command = { program: 'mastodon-r2-none', args: [], env: { KEY: new Secret('hush') } }
    await expect(run(command, { environment })).rejects.toMatchObject({ code: 'program-missing' })
  })

  it('names a program that may not be run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-run-'))
    const program = join(folder, 'plain')
    await writeFile(program, 'text', { mode: 0o600 })
    const running = run({ program, args: [], env: {} }, { environment })
    await expect(running).rejects.toMatchObject({ code: 'program-not-started' })
    await rm(folder, { recursive: true })
  })

  it('ends a program that takes too long', async () => {
    const running = run(node('setInterval(() => {}, 1000)'), { environment, timeoutMs: 300 })
    await expect(running).rejects.toMatchObject({ code: 'program-timeout' })
  })

  it('ends a program when told to', async () => {
    const control = new AbortController()
    const running = run(node('setInterval(() => {}, 1000)'), {
      environment,
      signal: control.signal,
    })
    control.abort()
    await expect(running).rejects.toMatchObject({ code: 'program-stopped' })
  })
})

describe('start', () => {
  it('gives the first line while the program runs, and stops it', async () => {
    const child = start(node('console.log("ready\\nmore"); setInterval(() => {}, 1000)'), {
      environment,
    })
    expect(await child.firstLine()).toBe('ready')
    await expect(child.stop()).resolves.toBeUndefined()
  })

  it('closes the input on stop', async () => {
    const script = 'process.on("SIGTERM", () => {}); process.stdin.resume(); console.log("x")'
    const child = start(node(script), { environment })
    await child.firstLine()
    await expect(child.stop()).resolves.toBeUndefined()
  })

  it('passes on what a program said before it ended', async () => {
    const child = start(node('console.error("no room"); process.exit(1)'), { environment })
    await expect(child.firstLine()).rejects.toMatchObject({
      code: 'program-ended-early',
      why: 'It said: no room',
    })
  })

  it('names a missing program, and stopping it is no fault', async () => {
    const child = start({ program: 'mastodon-r2-none', args: [], env: {} }, { environment })
    await expect(child.firstLine()).rejects.toMatchObject({ code: 'program-missing' })
    await expect(child.stop()).resolves.toBeUndefined()
  })
})
