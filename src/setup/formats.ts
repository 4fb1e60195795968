import { storageBlock } from '../flow/mastodon-here.ts'
import type { Facts, Setup, Step } from '../plan/step.ts'
import type { CorsRule } from '../services/cloudflare/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import type { outputCatalog } from '../settings/output.ts'
import type { ValueOf } from '../settings/setting.ts'
import { readTemplate, render } from '../template.ts'
import { keptHosts } from './media-hosts.ts'
import { quoted } from './quoted.ts'
import { terraform, terraformValues } from './terraform.ts'

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

interface Printing {
  readonly steps: readonly Step[]
  /** For standard output: the one place where keys are shown, because they were asked for. */
  block(facts: Partial<Facts>): string | undefined
}

const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** The steps that make, try or hand out Mastodon's key. */
const OF_THE_KEY = ['access-keys', 'upload-probe', 'env-file', 'key-in-use', 'public-read']

/** What is printed when the target of the setup is standard output, and the steps to get there. */
export async function printBlock(
  format: BlockFormat,
  setup: Setup,
  steps: readonly Step[],
): Promise<Printing> {
  if (setup.target.kind !== 'print') return { steps, block: () => undefined }
  if (format === 'terraform-import') return terraformPrinting(setup, steps)
  const write = await blockWriter(format)
  return { steps, block: ({ accessKey, ...facts }) => accessKey && write(setup, accessKey, facts) }
}

/** The storage block in that format. */
export async function blockWriter(
  format: keyof typeof blockForms,
): Promise<(setup: Setup, key: S3Key, facts?: Partial<Facts>) => string> {
  const { template, quote, quoteKey = quote, more } = blockForms[format]
  const text = await readTemplate(template)
  return (setup, key, facts) => {
    const values = new Map([...storageBlock(setup, key, facts), ...keptHosts(setup)])
    const written = [...values].map(([name, value]) => {
      return [name, KEYS.includes(name) ? quoteKey(value) : quote(value)]
    })
    return render(text, { ...Object.fromEntries(written), ...more?.(values) })
  }
}

/** Cloudflare's side alone. A key made here would never be seen, so none is made. */
async function terraformPrinting(setup: Setup, steps: readonly Step[]): Promise<Printing> {
  const text = await readTemplate('format-terraform.txt')
  let rules: readonly CorsRule[] | undefined
  return {
    steps: [
      ...steps.filter(({ id }) => !OF_THE_KEY.includes(id)),
      terraform((found) => {
        rules = found
      }),
    ],
    block: () => rules && render(text, terraformValues(setup, rules)),
  }
}
