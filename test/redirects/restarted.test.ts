import { describe, expect, test } from 'vitest'
import { renderText, toType } from '../../src/core/to-type.ts'
import { bulkRedirects } from '../../src/redirects/bulk.ts'
import { beforeRestart } from '../../src/redirects/restarted.ts'
import { singleRedirect, singleRule } from '../../src/redirects/single.ts'
import { webServerBlock } from '../../src/redirects/web-server.ts'
import type { RunningProcess } from '../../src/services/mastodon/port.ts'
import { FakeProcesses } from '../fakes/fake-processes.ts'
import { ACCOUNT, HOST, installationOf, setupOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'
import { OLD, redirectingWorld } from './redirecting-world.ts'

const CHANGED = new Date(Date.UTC(2026, 10, 22, 9))
const at = (minutes: number) => new Date(CHANGED.getTime() + minutes * 60_000)
const process = (role: RunningProcess['role'], minutes: number): RunningProcess => ({
  role,
  name: `mastodon-${role}.service`,
  startedAt: at(minutes),
})

interface More {
  readonly assumed?: boolean
  readonly runsSince?: Date
}

async function hindrance(
  list: readonly RunningProcess[] | undefined,
  more: More = {},
  installation = installationOf(),
) {
  const processes = new FakeProcesses()
  processes.list = list
  processes.fileChangedAt = CHANGED
  const line = toType('redirects', { status: '302', assumeRestarted: true })
  const { assumed = false, runsSince } = more
  const how = { installation, runsSince, assumed, line }
  const problem = await beforeRestart({ processes }, how)
  return problem && `${problem.code}: ${renderText(problem.why)} ${renderText(problem.next)}`
}

describe('a redirect waits until all of Mastodon runs with its settings', () => {
  test('all began after the change', async () => {
    expect(await hindrance([process('web', 1), process('sidekiq', 1)])).toBeUndefined()
  })

  test.each([false, true])('one began before it (--assume-restarted %s)', async (assumed) => {
    const words = await hindrance([process('web', 1), process('sidekiq', -1)], { assumed })
    expect(words).toMatch(
      /^redirect-before-restart: .* at the old place: mastodon-sidekiq\.service\./,
    )
    expect(words).toContain('systemctl restart mastodon-sidekiq.service')
  })

  test('a container is made anew by a line that makes no other one anew', async () => {
    const old = { ...process('web', -1), name: 'container live-web-1' }
    const docker = installationOf({ kind: 'docker', dir: '/srv/it is' })
    expect(await hindrance([old, process('sidekiq', 1)], {}, docker)).toContain(
      "Restart them:\n  cd '/srv/it is' && docker compose up -d --no-deps --force-recreate sidekiq web\nThen run this again.",
    )
  })

  test('nothing tells how a process by hand is restarted', async () => {
    const old = { ...process('web', -1), name: 'pid 12' }
    const words = await hindrance([old, process('sidekiq', 1)])
    expect(words).toMatch(/ Restart what is named above\.\nThen run this again\.$/)
  })

  test.each([
    ['none can be seen', undefined],
    ['none runs here', []],
    ['Sidekiq runs elsewhere', [process('web', 1)]],
  ])('%s: that is no restart until somebody says so', async (_, list) => {
    const words = await hindrance(list)
    expect(words).toMatch(/^redirect-restart-unseen: .*redirects --status 302 --assume-restarted$/s)
    expect(await hindrance(list, { assumed: true })).toBeUndefined()
  })

  test('a cut-over that has seen it counts, until a setting is changed', async () => {
    const reloaded = [process('web', -1), process('sidekiq', 1)]
    expect(await hindrance(reloaded, { runsSince: at(2) })).toBeUndefined()
    expect(await hindrance(reloaded, { runsSince: at(-2) })).toMatch(/^redirect-before-restart/)
  })
})

describe('so that one that is not there yet is not made', () => {
  const notYet = async () => {
    const how = { installation: installationOf(), runsSince: undefined, assumed: false }
    return beforeRestart({ processes: new FakeProcesses() }, { ...how, line: toType('redirects') })
  }

  test('a rule of the zone; one that is there becomes permanent', async () => {
    const { world, redirecting, add } = redirectingWorld()
    const step = singleRedirect({ ...redirecting, notYet }, OLD, setupOf().zone)
    expect(found(await step.look(world))).toBe('blocked redirect-restart-unseen')
    await expect(step.change?.(world)).rejects.toMatchObject({ code: 'redirect-restart-unseen' })
    expect(world.cloudflare.writes).toEqual([])
    add('http_request_dynamic_redirect', { ...singleRule(OLD, HOST, 302), id: 'ours' })
    await step.change?.(world)
    expect(found(await step.look(world))).toMatch(/^ready .* 301, seen$/)
  })

  test('a list of the account', async () => {
    const { world, redirecting } = redirectingWorld()
    const step = bulkRedirects({ ...redirecting, notYet }, [OLD], ACCOUNT)
    expect(found(await step.look(world))).toBe('blocked redirect-restart-unseen')
    await expect(step.change?.(world)).rejects.toMatchObject({ code: 'redirect-restart-unseen' })
    expect(world.cloudflare.writes).toEqual([])
    await bulkRedirects(redirecting, [OLD], ACCOUNT).change?.(world)
    expect(found(await step.look(world))).toMatch(/^ready .* 301, seen$/)
  })

  test.each([
    [true, /^later put the block below in place/],
    [false, /^later It can not be seen from here/],
  ])('a block for nginx, files of this machine first: %s', async (isHere, finding) => {
    const { world, redirecting } = redirectingWorld()
    const told: string[] = []
    const step = webServerBlock(
      { ...redirecting, notYet },
      {
        ...{ kind: 'nginx', prefix: OLD, isHere, why: undefined },
        text: () => 'block',
        webServer: { check: async () => ({ is: 'good' }) },
        told: ({ text }) => void told.push(text),
      },
    )
    expect(found(await step.look(world))).toMatch(finding)
    expect(told).toEqual(isHere ? ['block'] : [])
  })
})
