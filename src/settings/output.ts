import { flag, oneOf, setting } from './setting.ts'

/** How a run talks, and how much it may do. */
export const outputCatalog = {
  print: setting({
    flag: '--print',
    help: 'write nothing on this machine: the block, with its keys, goes to standard output',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  format: setting({
    flag: '--format',
    value: 'FORMAT',
    help: 'of the printed block: env, json, compose, systemd, helm, kubernetes, nixos, ansible, or terraform-import (no keys)',
    rule: oneOf([
      'env',
      'json',
      'compose',
      'systemd',
      'helm',
      'kubernetes',
      'nixos',
      'ansible',
      'terraform-import',
    ]),
    fallback: 'env',
    group: 'Output',
  }),
  dryRun: setting({
    flag: '--dry-run',
    help: 'show the plan and change nothing',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  yes: setting({
    flag: '--yes',
    help: 'agree to the plan; nothing destructive is ever part of it',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  json: setting({
    flag: '--json',
    help: 'one JSON report on standard output, words on standard error',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  quiet: setting({
    flag: '--quiet',
    help: 'only warnings, problems and what is left to do',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  verbose: setting({
    flag: '--verbose',
    help: 'list every request: method, path, status, milliseconds, ray id',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
  noColor: setting({
    flag: '--no-color',
    env: 'NO_COLOR',
    help: 'no colours',
    rule: flag,
    answerable: false,
    group: 'Output',
  }),
} as const
