import type { Step } from '../plan/step.ts'

const LATER = 'Switch it off in the dashboard once nothing links there any more.'

/** The r2.dev address is throttled, uncached, and a second way in beside the custom domain. */
export const devUrl: Step<'cloudflare' | 'setup'> = {
  id: 'dev-url',
  title: 'r2.dev address',

  async look({ cloudflare, setup }) {
    if (!(await cloudflare.isDevUrlEnabled(setup.at))) return { is: 'ready', note: 'off' }
    const current = setup.installation.settings.get('S3_ALIAS_HOST')?.value
    if (current !== undefined && /\.r2\.dev(\/|$)/i.test(current)) {
      const warnings = [`Media is served by ${current} now, so it stays on. ${LATER}`]
      return { is: 'ready', note: 'on, and in use', warnings }
    }
    const what = 'switch the r2.dev address off; media is served by the custom domain alone'
    return { is: 'change', changes: [{ what, risk: 'public' }] }
  },

  async change({ cloudflare, setup }) {
    await cloudflare.disableDevUrl(setup.at)
    return {}
  },
}
