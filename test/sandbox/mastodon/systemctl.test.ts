import { describe, expect, test } from 'vitest'
import type { Service } from '../../../src/sandbox/mastodon/programs.ts'
import { systemctl } from '../../../src/sandbox/mastodon/systemctl.ts'

function machine(running: { web: boolean; sidekiq: boolean }) {
  const did: string[] = []
  const fake = (role: 'web' | 'sidekiq', pid: number): Service => {
    const state = { isUp: running[role] }
    return {
      role,
      get pid() {
        return state.isUp ? pid : undefined
      },
      settings: () => undefined,
      async start() {
        if (!state.isUp) did.push(`start ${role}`)
        state.isUp = true
      },
      async stop() {
        if (state.isUp) did.push(`stop ${role}`)
        state.isUp = false
      },
      reload: () => void did.push(`reload ${role}`),
      kill: (signal) => void did.push(`${signal} ${role}`),
    }
  }
  const units = new Map([
    ['mastodon-web', fake('web', 11)],
    ['mastodon-sidekiq', fake('sidekiq', 12)],
  ])
  return {
    did,
    async run(line: string) {
      const said: string[] = []
      const tell = (text: string) => void said.push(text)
      const signal = AbortSignal.timeout(5_000)
      const call = { args: line.split(' '), cwd: '/', out: tell, err: tell, signal }
      return { code: await systemctl(units)(call), said }
    },
  }
}

const up = { web: true, sidekiq: true }
const down = { web: false, sidekiq: false }

describe('what is done', () => {
  test.each<[line: string, at: typeof up, did: string[], code: number]>([
    ['restart mastodon-sidekiq.service', up, ['stop sidekiq', 'start sidekiq'], 0],
    ['restart mastodon-sidekiq*', up, ['stop sidekiq', 'start sidekiq'], 0],
    ['restart mastodon-sidekiq*', down, [], 0],
    ['restart mastodon-sidekiq', down, ['start sidekiq'], 0],
    ['reload-or-restart mastodon-web.service', up, ['reload web'], 0],
    ['reload-or-restart mastodon-web.service', down, ['start web'], 0],
    ['reload mastodon-sidekiq', up, [], 1],
    ['reload mastodon-web', down, [], 1],
    ['stop mastodon-web mastodon-sidekiq.service', up, ['stop web', 'stop sidekiq'], 0],
    ['start mastodon-sidekiq.service mastodon-web', down, ['start sidekiq', 'start web'], 0],
    ['start mastodon-*', down, [], 0],
    ['try-restart mastodon-web', down, [], 0],
    ['kill -s TSTP --kill-who=main mastodon-sidekiq*', up, ['SIGTSTP sidekiq'], 0],
    ['kill --signal=SIGUSR2 mastodon-web', up, ['SIGUSR2 web'], 0],
    ['kill mastodon-web', down, [], 1],
    ['restart mastodon-nothing', up, [], 5],
    ['stop mastodon-web mastodon-nothing', up, [], 5],
    ['restart', up, [], 1],
    ['hibernate', up, [], 1],
  ])('%s', async (line, at, did, code) => {
    const it = machine(at)
    expect((await it.run(line)).code).toBe(code)
    expect(it.did).toEqual(did)
  })
})

describe('what is said', () => {
  test.each<[line: string, said: string[], code: number]>([
    ['is-active mastodon-web mastodon-sidekiq', ['active', 'inactive'], 0],
    ['is-active mastodon-sidekiq', ['inactive'], 3],
    ['is-active other', ['inactive'], 3],
    [
      'list-units --no-legend mastodon*',
      ['  mastodon-web.service       loaded active running mastodon-web.service'],
      0,
    ],
    ['show mastodon-web -p MainPID,ActiveState', ['ActiveState=active', 'MainPID=11'], 0],
    ['show --property=MainPID mastodon-sidekiq', ['MainPID=0'], 0],
    ['restart other', ['Failed to restart other: Unit other not found.'], 5],
  ])('%s', async (line, said, code) => {
    const answer = await machine({ web: true, sidekiq: false }).run(line)
    expect(answer).toEqual({ code, said })
  })
})
