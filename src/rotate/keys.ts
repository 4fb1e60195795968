import { Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import { retiringKeys } from '../setup/fresh-key.ts'
import { judgeRotation, type Rotation } from './rotation.ts'

/** What there is to rotate: the names of the keys tell how far an earlier run came. */
export const oldKey: Step<'cloudflare' | 'setup' | 'facts'> = {
  id: 'old-key',
  title: 'Old key',

  async look(at): Promise<Finding> {
    const { cloudflare, setup, facts } = at
    if (facts.rotation) return ready(facts.rotation)
    if (!setup.knownKey) return { is: 'blocked', problem: nothingToRotate() }
    const [envKey, retiring] = await Promise.all([
      cloudflare.findKey(setup.owner, setup.knownKey.accessKeyId),
      retiringKeys(at),
    ])
    return ready(judgeRotation(envKey, retiring, setup.at))
  },
}

function ready(rotation: Rotation): Finding {
  const { kind, envKey, old, stays } = rotation
  const facts = { rotation }
  if (kind === 'finish') {
    const names = old.map(({ name }) => `"${name}"`).join(', ')
    const left = names === '' ? '' : `; ${names} has still to go`
    return { is: 'ready', note: `an earlier rotation is finished now${left}`, facts }
  }
  if (stays === undefined) return { is: 'ready', note: `"${envKey?.name}"`, facts }
  const warning = `The old key will stay active: ${stays}. What to do about it is said at the end.`
  const note = `${envKey === undefined ? 'in the env file' : `"${envKey.name}"`}; it stays (${stays})`
  return { is: 'ready', note, facts, warnings: [warning] }
}

function nothingToRotate(): Problem {
  return new Problem({
    code: 'nothing-to-rotate',
    what: 'There is no R2 key in the env file that could be replaced.',
    why: 'S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be those of R2.',
    next: 'Set this server up first: npx mastodon-r2 init',
    exit: 2,
  })
}
