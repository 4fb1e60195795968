import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { isRequired } from '../requirement.ts'

/** Whether the tests with that program are to be left out: it is not here, and nobody insists. */
function isMissing(program: string, args: readonly string[]): boolean {
  if (isRequired(program)) return false
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 20_000 })
    return false
  } catch {
    return true
  }
}

/** What a program prints that was started in a folder of its own with these files. */
export function readBy(
  program: string,
  args: readonly string[],
  files: Readonly<Record<string, string>>,
  input = '',
): string {
  const cwd = mkdtempSync(join(tmpdir(), 'formats-test-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
    const stdio = ['pipe', 'pipe', 'pipe'] as const
    return execFileSync(program, args, {
      cwd,
      input,
      stdio: [...stdio],
      encoding: 'utf8',
      timeout: 30_000,
      // Its own settings only; Nix keeps its state where it may write.
      env: { PATH: process.env.PATH, HOME: cwd, CHECKPOINT_DISABLE: '1' },
    })
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

const PRINT = 'set -a; . ./file.env; node -p "JSON.stringify(process.env)"'

/** An env file as bash sources it, e.g. NixOS's mastodon-tootctl. */
export function sourced(text: string): Record<string, string> {
  return JSON.parse(readBy('bash', ['-c', PRINT], { 'file.env': text }))
}

/** A Nix expression, evaluated without a store. */
export function nixValue(text: string): unknown {
  const args = ['--eval', '--strict', '--json', '--store', 'dummy://', 'file.nix']
  return JSON.parse(readBy('nix-instantiate', args, { 'file.nix': text }))
}

/** A Terraform expression, from a file. */
export function terraformValue(expression: string): unknown {
  const files = { 'main.tf': `locals {\n  value = ${expression}\n}\n` }
  return JSON.parse(
    JSON.parse(readBy('terraform', ['console'], files, 'jsonencode(local.value)\n')),
  )
}

/** For programs that few machines have: without them there is no such test. */
export function whereThere(
  isMissing: boolean,
): (name: string, body: () => unknown, timeoutMs?: number) => void {
  return isMissing ? () => undefined : test
}

export const nixMissing = isMissing('nix-instantiate', ['--version'])
export const terraformMissing = isMissing('terraform', ['version'])
export const kubectlMissing = isMissing('kubectl', ['kustomize', '--help'])
