import { Problem } from '../core/problem.ts'
import { runnerOf } from '../flow/world.ts'
import { commandLine } from '../services/process/command.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import type { MigrateRun } from './prepare.ts'

/** Where rclone is missing, installs it if the person wants that; else the copy says what to type. */
export async function offerRclone({ ui, host }: MigrateRun, rclone: RclonePort): Promise<void> {
  try {
    await rclone.version()
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'rclone-missing') return
    const { installCommand } = await import('../services/rclone/install.ts')
    const found = await installCommand()
    if (!found) return
    const asRoot = { ...found, program: 'sudo', args: [found.program, ...found.args] }
    const command = host.userId === 0 ? found : asRoot
    const line = commandLine(command)
    if (!(await ui.agree(`${error.what} Install it now? This runs: ${line}`))) return
    const done = ui.busy(`Running ${line}`)
    const { exitCode } = await runnerOf(host).run(command).finally(done)
    if (exitCode !== 0) ui.warn(`That did not work. Try it in another terminal: ${line}`)
  }
}
