import { Problem } from '../core/problem.ts'
import type { Facts, Finding, Step, World } from '../plan/step.ts'
import { type Freshness, judgeFreshness } from './restart.ts'

type Needs = 'processes' | 'clock' | 'facts'
type At = Pick<World, Needs>

/** Milliseconds that Puma and Sidekiq get to come up; a big instance on a small machine is slow. */
const DEADLINE_MS = 180_000

export interface FreshWishes {
  readonly assumeRestarted: boolean
  /** What is old and what is new about the env file; the key unless told. */
  readonly about?: 'key' | 'storage'
}

/** Proof that no process of Mastodon can still hold what the env file held before. */
export function freshProcesses({ assumeRestarted, about = 'key' }: FreshWishes): Step<Needs> {
  return {
    id: 'processes',
    title: 'Running processes',

    async look(at): Promise<Finding> {
      const { envWritten, restartedAt, allFresh, rotation } = at.facts
      const will = `see that all of Mastodon runs with the new ${about}`
      if (!envWritten?.file) return { is: 'waiting', on: 'envWritten', will }
      if (allFresh)
        return { is: 'ready', note: `all run with the new ${about}`, facts: { allFresh } }
      const { state, changedAt } = await see(at)
      if (state.is === 'fresh') return fresh(state, changedAt)
      const mayBe = rotation?.kind === 'finish' || restartedAt !== undefined
      if (state.is === 'unseen' && assumeRestarted && mayBe) {
        const known = { since: changedAt, fileChangedAt: changedAt }
        return { is: 'ready', note: 'restarted, as you say', facts: { allFresh: known } }
      }
      const mayCome = restartedAt !== undefined && !(state.is === 'unseen' && state.hidden)
      if (mayCome) return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
      return state.is === 'old' ? stillOld(state, about) : unseen(state)
    },

    async change(at) {
      const end = at.clock.now().getTime() + DEADLINE_MS
      for (;;) {
        const { state, changedAt } = await see(at)
        if (state.is === 'fresh') {
          return { allFresh: { since: state.since, fileChangedAt: changedAt } }
        }
        if (at.clock.now().getTime() >= end) throw tooOld(state, about)
        await at.clock.sleep(1_000)
      }
    },
  }
}

async function see({ processes, facts }: At) {
  const file = facts.envWritten?.file ?? ''
  const changedAt = await processes.changedAt(file)
  if (!changedAt) throw gone(file)
  const state = judgeFreshness(await processes.running(), changedAt, facts.restartedAt)
  return { state, changedAt }
}

function fresh(state: Extract<Freshness, { is: 'fresh' }>, changedAt: Date): Finding {
  const note = `all ${state.count} began after the env file changed`
  const allFresh: Facts['allFresh'] = { since: state.since, fileChangedAt: changedAt }
  return { is: 'ready', note, facts: { allFresh } }
}

type About = NonNullable<FreshWishes['about']>

function stillOld({ names }: Extract<Freshness, { is: 'old' }>, about: About): Finding {
  return { is: 'later', note: `run with the old ${about} still: ${names.join(', ')}`, next: '' }
}

function unseen({ why }: Extract<Freshness, { is: 'unseen' }>): Finding {
  return {
    is: 'later',
    note: `not proven: ${why}. Add --assume-restarted once it was restarted wherever it runs`,
    next: '',
  }
}

const whyWait: Record<About, string> = {
  key: 'The old key stays active until every process has the new one, so nothing is broken.',
  storage: 'What it stores would go to the old place, where nobody looks for it any more.',
}

function tooOld(state: Exclude<Freshness, { is: 'fresh' }>, about: About): Problem {
  const why = whyWait[about]
  const again = 'Then run the same command again: it goes on from here.'
  if (state.is === 'unseen') {
    return new Problem({
      code: 'processes-unseen',
      what: `After the restart ${state.why}.`,
      why,
      next: `Start what is missing. If it runs on another machine, restart it there and add --assume-restarted. ${again}`,
    })
  }
  const services = state.names.filter((name) => name.endsWith('.service'))
  const command =
    services.length > 0
      ? `sudo systemctl restart ${services.join(' ')}`
      : 'Restart what is named above (containers: docker compose up -d --force-recreate)'
  return new Problem({
    code: 'processes-old',
    what: `After the restart these still run with the old ${about}: ${state.names.join(', ')}.`,
    why,
    next: `${command}. ${again}`,
  })
}

function gone(file: string): Problem {
  return new Problem({
    code: 'env-file-gone',
    what: `${file} is not there any more.`,
    why: 'It was there when this run began. The old key stays active.',
    next: 'Put the file back (a backup is beside it), then run the same command again.',
  })
}
