import type { Run } from '../flow/flow.ts'
import type { Remembered } from '../flow/memory.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'

/**
 * Rules at the edge are an extra: a person who sets up for the first time is asked, before the token
 * is, because they need permissions of their own. `--yes` and later runs go without the question.
 */
export async function chooseEdge(
  { ui, settings }: Run<SetupCatalog>,
  { storage }: Pick<Remembered, 'storage'>,
): Promise<void> {
  const isLater = storage === 'r2' || settings.on('announce')
  if (!ui.canAsk || settings.get('edge') !== undefined || settings.on('yes') || isLater) return
  const answer = await ui.choose({
    message:
      'Should Cloudflare also protect and cache the media host? These are rules in your zone.',
    options: [
      {
        value: 'recommended',
        label: 'Yes, as recommended',
        hint: 'protective headers, everything cached, archives of users refused',
      },
      { value: 'none', label: 'No', hint: 'can be added later: init --edge recommended' },
    ],
  })
  settings.offer('edge', answer, 'you')
}
