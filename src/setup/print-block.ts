import { storageBlock } from '../flow/storage-block.ts'
import type { Facts, Setup, Step } from '../plan/step.ts'
import { readTemplate } from '../read-template.ts'
import type { CorsRule } from '../services/cloudflare/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import { render } from '../template.ts'
import { type BlockFormat, blockForms } from './formats.ts'
import { terraform } from './steps-terraform.ts'
import { terraformValues } from './terraform.ts'

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
  return { steps, block: ({ accessKey }) => accessKey && write(setup, accessKey) }
}

/** The storage block in that format. */
export async function blockWriter(
  format: keyof typeof blockForms,
): Promise<(setup: Setup, key: S3Key) => string> {
  const { template, quote, quoteKey = quote, more } = blockForms[format]
  const text = await readTemplate(template)
  return (setup, key) => {
    const values = storageBlock(setup, key)
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
