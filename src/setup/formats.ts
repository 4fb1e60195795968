import type { outputCatalog } from '../settings/output.ts'
import type { ValueOf } from '../settings/setting.ts'
import { quoted } from './quoted.ts'

export type BlockFormat = ValueOf<typeof outputCatalog.format>

/** How the storage block is written; every template names all of its values. */
interface BlockForm {
  readonly template: string
  readonly quote: (value: string) => string
  /** How the two keys are written, where they go into a file of another kind. */
  readonly quoteKey?: (value: string) => string
  /** Values that the template needs besides, or needs in another form. */
  readonly more?: (values: ReadonlyMap<string, string>) => Readonly<Record<string, string>>
  /** Two files that Mastodon's admin has to put somewhere; the text says where. */
  readonly saysHow?: true
}

export const blockForms: Readonly<Record<Exclude<BlockFormat, 'terraform-import'>, BlockForm>> = {
  env: { template: 'env-production.txt', quote: (value) => value },
  json: { template: 'format-json.txt', quote: quoted.json },
  compose: {
    template: 'format-compose.txt',
    quote: quoted.compose,
    quoteKey: quoted.env,
    saysHow: true,
  },
  systemd: { template: 'format-systemd.txt', quote: quoted.env, saysHow: true },
  helm: { template: 'format-helm.txt', quote: quoted.yaml, more: ofHelm, saysHow: true },
  kubernetes: { template: 'format-kubernetes.txt', quote: quoted.yaml, saysHow: true },
  nixos: {
    template: 'format-nixos.txt',
    quote: quoted.nix,
    quoteKey: quoted.env,
    saysHow: true,
  },
  ansible: {
    template: 'format-ansible.txt',
    quote: quoted.ansible,
    more: ofAnsible,
    saysHow: true,
  },
}

/** `s3.enabled` is a boolean, and the newer chart insists on a host (charts/mastodon, _env.tpl). */
function ofHelm(values: ReadonlyMap<string, string>) {
  return {
    S3_ENABLED: values.get('S3_ENABLED') === 'true' ? 'true' : 'false',
    S3_HOSTNAME: quoted.yaml(new URL(values.get('S3_ENDPOINT') ?? '').host),
  }
}

/** Jinja's signs, which are those of our templates, too. */
function ofAnsible() {
  return { JINJA: '{{', END: '}}' }
}
