import { Problem, type ProblemDetails } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import type { Catalog } from '../settings/setting.ts'
import type { SandboxAddress } from './command.ts'

/** Starts `sandbox` as a process of its own, which goes when the run ends. Throws its Problems. */
export async function startSandboxProcess(
  { host, atEnd }: Pick<Run<Catalog>, 'host' | 'atEnd'>,
  flags: readonly string[],
): Promise<SandboxAddress> {
  const { start } = await import('../services/process/run.ts')
  const child = start(
    {
      program: host.execPath,
      args: [host.script, 'sandbox', '--json', '--attached', ...flags],
      env: {},
    },
    { environment: host.environment },
  )
  atEnd.push(() => child.stop())
  const told = JSON.parse(await child.firstLine()) as SandboxAddress | ProblemDetails
  if ('what' in told) throw new Problem(told)
  return told
}
