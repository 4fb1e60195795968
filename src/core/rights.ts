import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { shellWord } from './shell-word.ts'

/** The user that this process acts as; os.userInfo knows only users of /etc/passwd, which not every container has. */
export function actingUser(): number {
  try {
    return userInfo().uid
  } catch {
    return statSync('/proc/self').uid
  }
}

/**
 * What to do where rights are lacking, a sentence. Root has no use for sudo: there something else keeps
 * it out. `instead`: what else can be done, begins with "or".
 */
export function lackOfRights(path: string, instead?: string, user = actingUser()): string {
  const more = instead === undefined ? '' : `, ${instead}`
  if (user !== 0) return `Run the same command with sudo${more}.`
  return `This runs as root already, so something else keeps it out: a network share, a mount, a container without that right, SELinux or AppArmor. Look at it: findmnt -T ${shellWord(path)}; ls -ldZ ${shellWord(path)}. Put that right${more}, then run this again.`
}
