import type { Finding, Step } from '../plan/step.ts'
import { keyState, nameInState } from '../setup/key-names.ts'

const will = 'mark it as the old one'

/**
 * Marks the old key before the env file forgets it: from then on any run knows that it has to go,
 * and until the file is written, that it has to stay.
 */
export const oldKeyName: Step<'cloudflare' | 'setup' | 'clock' | 'facts'> = {
  id: 'old-key-name',
  title: 'Name of the old key',

  async look({ facts }): Promise<Finding> {
    const { rotation, keyProven, oldKeyNamed } = facts
    if (!rotation) return { is: 'waiting', on: 'rotation', will }
    const known = { oldKeyNamed: true as const }
    if (rotation.kind === 'finish') return { is: 'ready', note: 'known', facts: known }
    if (!keyProven) return { is: 'waiting', on: 'keyProven', will }
    if (oldKeyNamed) return { is: 'ready', note: 'marked as the old one', facts: known }
    if (rotation.stays !== undefined) return { is: 'ready', note: 'left alone', facts: known }
    return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
  },

  async change({ cloudflare, setup, clock, facts }) {
    const key = facts.rotation?.envKey
    if (key && keyState(key.name) !== 'retiring') {
      const name = nameInState({ setup, clock }, key.name, 'retiring')
      await cloudflare.renameKey(setup.owner, key, name)
    }
    return { oldKeyNamed: true }
  },

  /** Also when it is not certain that the name was given: an answer may have got lost. */
  async undo({ cloudflare, setup, clock, facts }) {
    const { rotation, keyProven, envWritten } = facts
    const before = rotation?.envKey
    if (!before || rotation.kind !== 'begin' || rotation.stays !== undefined) return undefined
    if (!keyProven || envWritten) return undefined
    const key = await cloudflare.findKey(setup.owner, before.id)
    if (!key || keyState(key.name) !== 'retiring') return undefined
    const isOurs = keyState(before.name) === 'retiring'
    const name = isOurs ? nameInState({ setup, clock }, key.name, 'inUse') : before.name
    await cloudflare.renameKey(setup.owner, key, name)
    return 'the old key has its name again, and stays in use'
  },
}
