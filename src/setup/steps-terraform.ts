import type { Step } from '../plan/step.ts'
import type { CorsRule } from '../services/cloudflare/port.ts'

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
