import { Problem } from '../core/problem.ts'
import { type Finding, learned, type Rotation, type Step, type World } from '../plan/step.ts'
import type { MintedKey } from '../services/cloudflare/port.ts'
import { judgeFreshness } from '../setup/restart.ts'

type GraceNeeds = 'clock' | 'facts'
type GraceAt = Pick<World, GraceNeeds>

/** Between two looks at the clock, milliseconds. */
const TICK_MS = 15_000
/** Links to private files (archives) that a key signed work for so long, milliseconds. */
const LINKS_MS = 3_600_000

/** Links that the old key signed die with it. */
export function grace(graceMs: number): Step<GraceNeeds> {
  const isShort = graceMs < LINKS_MS
  const aim = isShort
    ? 'as wished; links signed with the old key live for an hour'
    : 'so that links signed with the old key run out'
  const over = (): Finding => {
    const links = isShort
      ? 'over; a link signed with the old key may end before its hour'
      : 'over: no link signed with the old key is left'
    const note = graceMs === 0 ? 'none wanted' : links
    return { is: 'ready', note, facts: { graceOver: true } }
  }
  return {
    id: 'grace',
    title: 'Grace period',

    async look(at): Promise<Finding> {
      const will = graceMs === 0 ? 'none wanted' : `wait ${words(graceMs)}, ${aim}`
      const { allFresh, publicProven } = at.facts
      if (!allFresh) return { is: 'waiting', on: 'allFresh', will }
      if (!publicProven) return { is: 'waiting', on: 'publicProven', will }
      const left = leftOf(at, graceMs)
      if (left <= 0) return over()
      const what = `wait ${words(left)}, ${aim}`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    change: async () => ({}),

    async confirm(at, tell): Promise<Finding> {
      for (let left = leftOf(at, graceMs); left > 0; left = leftOf(at, graceMs)) {
        tell(`${words(left)} left. You can stop this run: the next one goes on from here`)
        await at.clock.sleep(Math.min(left, TICK_MS))
      }
      return over()
    },
  }
}

/** Counted from the last moment at which a process used the old key. */
function leftOf({ clock, facts }: GraceAt, graceMs: number): number {
  const { since, fileChangedAt } = facts.allFresh ?? {}
  const start = Math.max(since?.getTime() ?? 0, fileChangedAt?.getTime() ?? 0)
  return start + graceMs - clock.now().getTime()
}

function words(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`
  return `${Math.ceil(ms / 60_000)} min`
}

type Needs = 'cloudflare' | 'connectS3' | 'processes' | 'minting' | 'facts'
type At = Pick<World, Needs>

/** The old key: first disabled, which could be taken back, then deleted. */
export const retireKey: Step<Needs> = {
  id: 'retire-key',
  title: 'Removal of the old key',

  async look(at): Promise<Finding> {
    const { rotation, graceOver, envWritten } = at.facts
    if (!rotation) return { is: 'waiting', on: 'rotation', will: 'remove the old key' }
    const will = rotation.old.length === 0 ? 'nothing' : 'disable the old key, then delete it'
    if (!graceOver) return { is: 'waiting', on: 'graceOver', will }
    const left = await present(at, rotation)
    if (left.length > 0) {
      const changes = left.map(({ name }) => ({
        what: `disable "${name}", then delete it`,
        risk: 'safe' as const,
      }))
      return { is: 'change', changes }
    }
    if (rotation.stays !== undefined) return stays(rotation.stays, envWritten?.backup)
    return { is: 'ready', note: 'gone' }
  },

  async change(at) {
    const { cloudflare, connectS3, minting, facts } = at
    const inUse = learned(facts, 'accessKey')
    await stillProven(at)
    for (const key of await present(at, learned(facts, 'rotation'))) {
      if (key.status !== 'disabled') await cloudflare.disableKey(minting.owner, key)
      await connectS3(inUse).headBucket()
      await cloudflare.revokeKey(minting.owner, key.id)
    }
    return {}
  },
}

/** As Cloudflare shows them now: under their present names. */
async function present({ cloudflare, minting, facts }: At, { old }: Rotation) {
  const ids = old.map(({ id }) => id).filter((id) => id !== facts.accessKey?.accessKeyId)
  const keys = await Promise.all(ids.map((id) => cloudflare.findKey(minting.owner, id)))
  return keys.filter((key): key is MintedKey => key !== undefined)
}

/** The wait was long: a backup may have been put back, or a process started with it. */
async function stillProven({ processes, facts }: At): Promise<void> {
  const { allFresh, envWritten, restartedAt } = facts
  const changedAt = await processes.changedAt(envWritten?.file ?? '')
  if (!allFresh || changedAt?.getTime() !== allFresh.fileChangedAt.getTime()) {
    throw changed(`${envWritten?.file} changed again while this run waited.`)
  }
  const state = judgeFreshness(await processes.running(), changedAt, restartedAt)
  if (state.is === 'old') throw changed(`These run with older settings: ${state.names.join(', ')}.`)
}

function changed(what: string): Problem {
  return new Problem({
    code: 'rotate-not-proven',
    what,
    why: 'It is not certain any more that nothing uses the old key, so it stays active.',
    next: 'Run the same command again: it looks anew and goes on from here.',
  })
}

function stays(why: string, backup: string | undefined): Finding {
  const where = backup === undefined ? '' : ` Its Access Key ID stands in ${backup}.`
  return {
    is: 'later',
    note: `the old key stays: ${why}.${where} When nothing uses it, delete it at https://dash.cloudflare.com/?to=/:account/r2/api-tokens`,
    next: '',
  }
}
