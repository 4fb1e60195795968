import { jurisdictions } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { LifecycleRule } from '../services/cloudflare/port.ts'
import { othersStay, ownLifecycleRule, stays, type Undo } from './undoing.ts'

/** The R2 bucket. One that exists in the account is adopted; names are the account's own. */
export const bucket: Step<'cloudflare' | 'setup' | 'facts'> = {
  id: 'bucket',
  title: 'Bucket',

  async look({ cloudflare, setup, facts }): Promise<Finding> {
    const { at, location } = setup
    // Asked beside it, and of no interest once the bucket is there.
    const elsewhereAsked = facts.bucketMade ? undefined : otherJurisdiction({ cloudflare, setup })
    elsewhereAsked?.catch(() => undefined)
    const found = await cloudflare.findBucket(at)
    const place = at.jurisdiction === 'default' ? '' : `, jurisdiction ${at.jurisdiction}`
    if (found) {
      const own = found.location?.toLowerCase()
      const note = `${at.bucket} exists${own === undefined ? '' : ` in ${own}`}${place}`
      if (location === undefined || own === location) return { is: 'ready', note }
      // Cloudflare takes the hint as a wish: a new bucket may come to be elsewhere.
      if (!facts.bucketMade) return { is: 'blocked', problem: livesAlready(at.bucket, own) }
      return { is: 'ready', note, warnings: [unmetHint(at.bucket, location, own)] }
    }
    const elsewhere = await elsewhereAsked
    if (elsewhere !== undefined && !setup.jurisdictionGiven) {
      return { is: 'blocked', problem: isElsewhere(at, elsewhere) }
    }
    const warnings = elsewhere === undefined ? [] : [twin(at, elsewhere)]
    const hint = location === undefined ? '' : `, near ${location}`
    return {
      is: 'change',
      changes: [{ what: `create the bucket ${at.bucket}${place}${hint}`, risk: 'safe' }],
      warnings,
    }
  },

  async change({ cloudflare, setup }) {
    await cloudflare.createBucket(setup.at, setup.location)
    return { bucketMade: true }
  },

  /** Beside the steps that follow: what they do with a bucket that is not there fails by itself. */
  confirm: (at) => bucket.look(at),
}

function livesAlready(name: string, own: string | undefined): Problem {
  const where = own === undefined ? '' : ` in ${own}`
  return new Problem({
    code: 'bucket-lives-already',
    what: `The bucket ${name} is there already${where}; --location is for a new one.`,
    why: 'Where a bucket lives is decided when it is made, and never changes.',
    next: 'Leave --location out to use this bucket, or name a new one with --bucket.',
    exit: 2,
  })
}

function unmetHint(name: string, wish: string, own: string | undefined): string {
  const where =
    own === undefined ? 'Cloudflare does not tell where' : `Cloudflare made it in ${own}`
  return `--location ${wish} is a wish, and the bucket ${name} did not get it: ${where}. It works all the same.`
}

/**
 * Where else the account has a bucket of this name; what can't be asked counts as not seen. The custom
 * domain asks for the same lists at the same time.
 */
async function otherJurisdiction({ cloudflare, setup }: Pick<World, 'cloudflare' | 'setup'>) {
  const { accountId, bucket, jurisdiction: own } = setup.at
  const others = jurisdictions.filter((name) => name !== own)
  const found = await Promise.all(
    others.map(async (jurisdiction) => {
      const asked = cloudflare.listBuckets(accountId, jurisdiction)
      const names = await asked.catch((error: unknown): string[] => {
        if (error instanceof Problem) return []
        throw error
      })
      return names.includes(bucket) ? jurisdiction : undefined
    }),
  )
  return found.find((name) => name !== undefined)
}

const placeOf = (name: string) => (name === 'default' ? 'without a jurisdiction' : `in ${name}`)

function twin({ bucket, jurisdiction }: World['setup']['at'], other: string): string {
  return `There is a bucket ${bucket} ${placeOf(other)}, too, and it stays as it is: the new one is another, ${placeOf(jurisdiction)}, as --jurisdiction says.`
}

/** A second bucket of one name would be mistaken for the first. */
function isElsewhere({ bucket, jurisdiction }: World['setup']['at'], other: string): Problem {
  return new Problem({
    code: 'bucket-elsewhere',
    what: `There is a bucket ${bucket} already, ${placeOf(other)}; none ${placeOf(jurisdiction)}.`,
    why: 'Each jurisdiction has buckets and an endpoint of its own; two buckets of one name are easily taken for one another.',
    next: `To use the one that is there: --jurisdiction ${other}. For a new one, choose another name: --bucket NAME. For two of one name, say so: --jurisdiction ${jurisdiction}.`,
    exit: 2,
  })
}

/** The bucket goes only when it is empty, serves no host, and its flag was given. */
export function undoBucket(undo: Undo): Step<'cloudflare' | 'setup'> {
  return {
    id: 'bucket',
    title: 'Bucket',

    async look({ cloudflare, setup }): Promise<Finding> {
      const { at, mediaHost } = setup
      if (!(await cloudflare.findBucket(at))) {
        return { is: 'ready', note: `${at.bucket} does not exist` }
      }
      const [filled, hosts] = await Promise.all([
        cloudflare.hasObjects(at),
        cloudflare.listCustomDomains(at),
      ])
      if (filled === undefined) return stays('this token may not see whether it is empty')
      if (filled === 'tests') {
        return stays(
          `${at.bucket} holds nothing but test files of a run that was killed, which init, run once more, removes`,
        )
      }
      if (filled) return stays(`${at.bucket} is not empty`)
      const { detachDomain, deleteEmptyBucket } = undo.wishes
      const others = hosts.filter((host) => !(detachDomain && host === mediaHost))
      if (!deleteEmptyBucket) return stays(`${at.bucket} is empty`, 'deleteEmptyBucket')
      const [host] = others
      if (host === mediaHost) return stays(`it serves ${host}`, 'detachDomain')
      if (host !== undefined) return stays(`it serves ${others.join(', ')}, too`)
      const what = `delete the empty bucket ${at.bucket}`
      return { is: 'change', changes: [{ what, risk: 'destructive', goes: true }] }
    },

    async change({ cloudflare, setup }) {
      await cloudflare.deleteBucket(setup.at)
      return {}
    },
  }
}

/** Seven days, as the rule that Cloudflare gives to new buckets. */
const WEEK_SECONDS = 604_800

/** Broken uploads would be stored, and paid for, until somebody aborts them. */
export const lifecycle: Step<'cloudflare' | 'setup'> = {
  id: 'lifecycle',
  title: 'Lifecycle rule',

  async look({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    const warnings = rules.filter(deletes).map(deletesMedia)
    if (rules.some(aborts)) {
      return { is: 'ready', note: 'broken uploads are removed by themselves', warnings }
    }
    return {
      is: 'change',
      changes: [{ what: 'remove broken uploads after 7 days', risk: 'safe' }],
      warnings,
    }
  },

  async change({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    const ours: LifecycleRule = {
      id: 'mastodon-r2: abort broken uploads',
      enabled: true,
      conditions: {},
      abortMultipartUploadsTransition: { condition: { type: 'Age', maxAge: WEEK_SECONDS } },
    }
    await cloudflare.putLifecycle(setup.at, [...rules.filter(({ id }) => id !== ours.id), ours])
    return {}
  },
}

function aborts(rule: LifecycleRule): boolean {
  const everywhere = (rule.conditions?.prefix ?? '') === ''
  return rule.enabled && everywhere && rule.abortMultipartUploadsTransition !== undefined
}

function deletes(rule: LifecycleRule): boolean {
  return rule.enabled && rule.deleteObjectsTransition !== undefined
}

function deletesMedia(rule: LifecycleRule): string {
  return `The bucket's lifecycle rule "${rule.id}" deletes objects; Mastodon expects its media to stay. It is left as it is: look at it in the dashboard.`
}

/** The lifecycle rule with our id; Cloudflare's own and those of others stay. */
export const undoLifecycle: Step<'cloudflare' | 'setup'> = {
  id: 'lifecycle',
  title: 'Lifecycle rule',

  async look({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    if (!rules.some(({ id }) => id === ownLifecycleRule)) {
      return { is: 'ready', note: 'no rule of this tool' }
    }
    const what = `remove the lifecycle rule${othersStay(rules.length - 1)}`
    return { is: 'change', changes: [{ what, risk: 'safe', goes: true }] }
  },

  async change({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    await cloudflare.putLifecycle(
      setup.at,
      rules.filter(({ id }) => id !== ownLifecycleRule),
    )
    return {}
  },
}

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
