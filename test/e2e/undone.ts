import { readdirSync } from 'node:fs'
import { LOCAL_DOMAIN, type Machine } from './machine.ts'
import { keysOf, type Stage } from './stage.ts'

interface Report {
  readonly ok: boolean
  readonly steps: readonly {
    readonly id: string
    readonly status: string
    readonly note: string
  }[]
  readonly warnings: readonly string[]
  readonly env: { readonly backup: string | null; readonly changed: readonly string[] } | null
  readonly problem: { readonly code: string; readonly next: string } | null
}

/** Each test has a host and a bucket of its own, so that they can run side by side. */
export function own(name: string) {
  const [host, bucket] = [`${name}.example.com`, `${name}-media`]
  return { host, bucket, args: ['--media-host', host, '--bucket', bucket] }
}

export const GONE = {
  keys: 0,
  bucket: false,
  cors: undefined,
  lifecycle: undefined,
  domains: undefined,
  records: 0,
}

export function backups(at: Machine): string[] {
  return readdirSync(at.dir).filter((file) => file.endsWith('.bak'))
}

/** A stage for tests that set up and take back. */
export function undone(stage: Stage) {
  async function setUp(name: string, before = LOCAL_DOMAIN, more: readonly string[] = []) {
    const { args, ...names } = own(name)
    const at = stage.machine(before)
    const { code, stdout } = await stage.initHere(at, [...args, ...more])
    if (code !== 0) throw new Error(stdout)
    return { at, ...names }
  }

  async function undo(at: Machine, flags: readonly string[]) {
    const { code, stdout, stderr } = await stage.initHere(at, ['undo', '--yes', '--json', ...flags])
    if (stdout === '') throw new Error(stderr)
    const report = JSON.parse(stdout) as Report
    const of = (wanted: string) =>
      report.steps.filter(({ status }) => status === wanted).map(({ id }) => id)
    return { code, report, changed: of('changed'), stays: of('skipped') }
  }

  /** What Cloudflare holds of a setup. */
  function leftOf(name: string) {
    const { host, bucket } = own(name)
    const { world } = stage.sandbox
    const found = world.buckets.find((one) => one.name === bucket)
    return {
      keys: keysOf(stage.sandbox, bucket).length,
      bucket: found !== undefined,
      cors: found?.cors,
      lifecycle: (found?.lifecycle as { id: string }[] | undefined)?.map(({ id }) => id),
      domains: found?.domains.map((domain) => domain.host),
      records: world.dnsRecords.filter((record) => record.name === host).length,
    }
  }

  return { setUp, undo, leftOf }
}
