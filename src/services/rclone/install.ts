import { access } from 'node:fs/promises'
import { type Command, commandLine } from '../process/command.ts'

const INSTALLERS: readonly (readonly [path: string, program: string, args: readonly string[]])[] = [
  ['/usr/bin/apt-get', 'apt-get', ['install', '-y', 'rclone']],
  ['/usr/bin/dnf', 'dnf', ['install', '-y', 'rclone']],
  ['/usr/bin/zypper', 'zypper', ['--non-interactive', 'install', 'rclone']],
  ['/usr/bin/pacman', 'pacman', ['-S', '--noconfirm', 'rclone']],
  ['/sbin/apk', 'apk', ['add', 'rclone']],
]

type Exists = (path: string) => Promise<boolean>

/** What installs rclone here, to be run as root; undefined where no package manager is known. */
export async function installCommand(exists: Exists = isThere): Promise<Command | undefined> {
  for (const [path, program, args] of INSTALLERS) {
    if (await exists(path)) return { program, args, env: {} }
  }
  return undefined
}

/** The line to paste; for a machine without a known package manager the page that tells. */
export async function installLine(exists: Exists = isThere): Promise<string> {
  const command = await installCommand(exists)
  return command ? `sudo ${commandLine(command)}` : 'see https://rclone.org/install/'
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
