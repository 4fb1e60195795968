import { Problem } from '../core/problem.ts'
import { type Finding, learned, type Rotation, type Step, type World } from '../plan/step.ts'
import type { MintedKey } from '../services/cloudflare/port.ts'
import { judgeFreshness } from '../setup/restart.ts'

type Needs = 'cloudflare' | 'connectS3' | 'processes' | 'minting' | 'facts'
type At = Pick<World, Needs>

/** The old key: first disabled, which could be taken back, then deleted. */
export const retireKey: Step<Needs> = {
  id: 'old-key-removed',
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
