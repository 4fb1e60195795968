import type { Step } from '../plan/step.ts'

/** The R2 bucket. One that exists in the account is adopted; names are the account's own. */
export const bucket: Step<'cloudflare' | 'setup'> = {
  id: 'bucket',
  title: 'Bucket',

  async look({ cloudflare, setup }) {
    const { at, location } = setup
    const found = await cloudflare.findBucket(at)
    const place = at.jurisdiction === 'default' ? '' : `, jurisdiction ${at.jurisdiction}`
    if (found) {
      const where = found.location === undefined ? '' : ` in ${found.location.toLowerCase()}`
      return { is: 'ready', note: `${at.bucket} exists${where}${place}` }
    }
    const hint = location === undefined ? '' : `, near ${location}`
    return {
      is: 'change',
      changes: [{ what: `create the bucket ${at.bucket}${place}${hint}`, risk: 'safe' }],
    }
  },

  async change({ cloudflare, setup }) {
    await cloudflare.createBucket(setup.at, setup.location)
    return {}
  },
}
