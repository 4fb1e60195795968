import type { Ended } from './flow.ts'
import { flow } from './flow.ts'
import type { Command } from './index.ts'
import { initSteps } from './init.ts'
import { prepareSetup } from './prepare-setup.ts'
import { checkCatalog, initCatalog, shownSettings } from './setup-catalog.ts'

/** The survey of all of init's steps: what is not ready is a fault. */
export const check: Command = {
  run: (host, argv) =>
    flow(host, argv, {
      name: 'check',
      catalog: initCatalog,
      accepts: checkCatalog,
      async prepare(run) {
        const { world } = await prepareSetup(run, { lookOnly: true })
        return {
          world,
          steps: initSteps,
          planTitle: 'What is there',
          shown: shownSettings.filter((name) => name in checkCatalog),
          lookOnly: true,
          again: 'npx mastodon-r2 init',
          closing,
        }
      },
    }),
}

function closing({ report }: Ended) {
  const open = report.steps.filter(({ status }) => status !== 'ready')
  if (open.length === 0) return { headline: 'All well.', sections: [] }
  const headline = `${open.length} of ${report.steps.length} are not as they should be.`
  const lines = ['  npx mastodon-r2 init']
  return { headline, sections: [{ title: 'To put that right (it shows a plan first)', lines }] }
}
