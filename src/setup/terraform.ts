import type { Setup, Step } from '../plan/step.ts'
import type { CorsRule } from '../services/cloudflare/port.ts'
import { quoted } from './quoted.ts'

/**
 * What the Terraform template names, as expressions. Import ids are those of provider 5.22
 * (docs/resources of cloudflare/terraform-provider-cloudflare); none of it is secret.
 */
export function terraformValues(
  setup: Setup,
  rules: readonly CorsRule[],
): Readonly<Record<string, string>> {
  const { at, mediaHost, zone, owner } = setup
  const { accountId, bucket, jurisdiction } = at
  const isAccounts = owner.kind === 'account'
  return {
    ACCOUNT_ID: quoted.hcl(accountId),
    BUCKET: quoted.hcl(bucket),
    JURISDICTION: quoted.hcl(jurisdiction),
    BUCKET_IMPORT: quoted.hcl(`${accountId}/${bucket}/${jurisdiction}`),
    CORS_RULES: list(rules.map(rule), '  '),
    DOMAIN: quoted.hcl(mediaHost),
    DOMAIN_IMPORT: quoted.hcl(`${accountId}/${bucket}/${jurisdiction}/${mediaHost}`),
    ZONE_ID: quoted.hcl(zone.id),
    TOKEN_TYPE: isAccounts ? 'cloudflare_account_token' : 'cloudflare_api_token',
    TOKEN_IMPORT: quoted.hcl(isAccounts ? `${accountId}/AWS_ACCESS_KEY_ID` : 'AWS_ACCESS_KEY_ID'),
  }
}

/** Every field that the rule has, as the provider names it; `[name, expression]`. */
function rule({ id, allowed, exposeHeaders, maxAgeSeconds }: CorsRule): string {
  const scopes = [
    ...field('headers', allowed.headers && words(allowed.headers)),
    ...field('methods', words(allowed.methods)),
    ...field('origins', words(allowed.origins)),
  ]
  return block(
    [
      ...field('allowed', block(scopes, '      ')),
      ...field('expose_headers', exposeHeaders && words(exposeHeaders)),
      ...field('id', id === undefined ? undefined : quoted.hcl(id)),
      ...field('max_age_seconds', maxAgeSeconds?.toString()),
    ],
    '    ',
  )
}

type Field = readonly [name: string, expression: string]

function field(name: string, expression: string | undefined): Field[] {
  return expression === undefined ? [] : [[name, expression]]
}

function words(texts: readonly string[]): string {
  return `[${texts.map(quoted.hcl).join(', ')}]`
}

/** `terraform fmt` lines up the signs of neighbours that are one line each. */
function block(fields: readonly Field[], indent: string): string {
  const short = fields.filter(([, text]) => !text.includes('\n'))
  const width = Math.max(0, ...short.map(([name]) => name.length))
  const lines = fields.map(([name, text]) => {
    return `${indent}  ${text.includes('\n') ? name : name.padEnd(width)} = ${text}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}

function list(items: readonly string[], indent: string): string {
  if (items.length === 0) return '[]'
  return `[\n${items.map((item) => `${indent}  ${item},\n`).join('')}${indent}]`
}

/**
 * What the printed Terraform file has to tell of the bucket as it is. Terraform puts all CORS rules
 * at once, so a rule that the file leaves out would be gone. `keep` is handed the rules.
 */
export function terraform(
  keep: (rules: readonly CorsRule[]) => void,
): Step<'cloudflare' | 'setup'> {
  let isRead = false
  return {
    id: 'terraform',
    title: 'Terraform',

    async look() {
      if (isRead) return { is: 'ready', note: 'the import blocks are printed' }
      const what = 'print import blocks for what is there (--format terraform-import)'
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    async change({ cloudflare, setup }) {
      keep(await cloudflare.getCors(setup.at))
      isRead = true
      return {}
    },
  }
}
