import { describe, expect, test } from 'vitest'
import { refuseChanged, takeBackRedirect } from '../../src/leave/take-back-redirect.ts'
import { SINGLE_PHASE, singleRule } from '../../src/redirects/single.ts'
import type { Rule } from '../../src/services/cloudflare/port.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { HOST, setupOf, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const BASE = 'social.example.com/system'
const KEY = 'accounts/avatars/1/original/a.png'
const { zone } = setupOf()
const prefix = { host: HOST, path: '/' }
const made: Rule = { ...singleRule(prefix, BASE, 302), id: 'made' }
const ofNeighbour: Rule = {
  ...singleRule({ host: 'art.example.com', path: '/' }, 'art.example.net', 302),
  id: 'neighbour',
}

/** An edge that carries out redirects of whole hosts, and a bucket behind it. */
function stand(...rules: readonly Rule[]) {
  const world = worldOf()
  const { cloudflare, s3, web } = world
  s3.objects.set('backups/dumps/1/a.zip', {
    body: Buffer.from('x'),
    contentType: '',
    cacheControl: '',
  })
  s3.objects.set(KEY, { body: Buffer.from('a'), contentType: 'image/png', cacheControl: '' })
  cloudflare.rules = rules.map((rule) => ({ place: zone.id, phase: SINGLE_PHASE, rule }))
  web.alter = (answer, _, url) => {
    const rule = cloudflare.rules.find(
      ({ rule: { expression, enabled } }) => enabled && expression === `http.host eq "${HOST}"`,
    )
    if (!rule) return answer
    const location = `https://${BASE}${new URL(url).pathname}`
    return { status: 302, headers: [['location', location]], body: new Uint8Array() }
  }
  const at = { bucket: () => s3, signal: new AbortController().signal }
  const step = takeBackRedirect(at, HOST, zone)
  const left = () => cloudflare.rules.map(({ rule }) => rule.id)
  return { world, cloudflare, web, s3, step, left }
}

describe('the redirect of the media host is taken back', () => {
  test('ours alone, and what answers afterwards is seen', async () => {
    const { world, step, left } = stand(ofNeighbour, made)
    expect(found(await step.look(world))).toBe(
      `change [public] remove the rule "${made.description}" of the zone example.com, by which https://${HOST}/... leads to https://${BASE}/...`,
    )
    await step.change?.(world)
    expect(left()).toEqual(['neighbour'])
    expect(found(await step.look(world))).toBe(
      `ready the rule is gone; https://${HOST}/${KEY} comes from the bucket again`,
    )
    const again = takeBackRedirect(
      { bucket: () => world.s3, signal: new AbortController().signal },
      HOST,
      zone,
    )
    expect(found(await again.look(world))).toBe(
      `ready no rule of this program redirects ${HOST} in the zone example.com`,
    )
  })

  test.each([
    ['the disk', BASE],
    ['another provider', 'media.example.org'],
  ])('wherever it leads: %s', async (_, base) => {
    const { world, step, left } = stand({ ...singleRule(prefix, base, 302), id: 'mine' })
    expect(found(await step.look(world))).toContain(`leads to https://${base}/...`)
    await step.change?.(world)
    expect(left()).toEqual([])
  })

  test('one that is switched off leads nowhere, and goes', async () => {
    const { world, step, left } = stand({ ...made, enabled: false })
    expect(found(await step.look(world))).toContain('(switched off)')
    await step.change?.(world)
    expect(left()).toEqual([])
  })

  test('the edge may take some seconds', async () => {
    const { world, web, step } = stand(made)
    const { alter } = web
    let asked = 0
    web.alter = (answer, request, url) => {
      asked += 1
      if (asked > 4) return alter(answer, request, url)
      return { status: 302, headers: [['location', `https://${BASE}/x`]], body: new Uint8Array() }
    }
    await step.change?.(world)
    expect(found(await step.look(world))).toContain('comes from the bucket again')
  })

  test.each([
    [
      'a rule of others',
      302,
      [['location', 'https://elsewhere.example/x']],
      'still leads to https://elsewhere.example/x',
    ],
    ['a host that is not attached', 404, [], 'gives status 404'],
  ] as const)('what else answers is told: %s', async (_, status, headers, words) => {
    const { world, web, step, left } = stand(made)
    web.alter = () => ({ status, headers, body: new Uint8Array() })
    await step.change?.(world)
    expect(left()).toEqual([])
    expect(found(await step.look(world))).toBe(
      `ready the rule is gone; https://${HOST}/${KEY} ${words}`,
    )
  })

  test.each([
    [
      'a key that opens it no more',
      (at: ReturnType<typeof stand>) => {
        at.s3.refuse = () => refusal('s3-403')
      },
    ],
    ['an empty bucket', (at: ReturnType<typeof stand>) => at.s3.objects.clear()],
    [
      'no network',
      (at: ReturnType<typeof stand>) => {
        at.web.alter = () => {
          throw refusal('web-timeout')
        }
      },
    ],
  ])('what answers is not claimed with %s', async (_, arrange) => {
    const at = stand(made)
    arrange(at)
    await at.step.change?.(at.world)
    expect(at.left()).toEqual([])
    expect(found(await at.step.look(at.world))).toContain(
      'the rule is gone; what answers now was not seen',
    )
  })
})

describe('a rule that is not as it was made is named, and stays', () => {
  const edited: readonly [string, Partial<Rule>][] = [
    ['a part of the host alone', { expression: `http.host eq "${HOST}" and not ssl` }],
    ['another host', { expression: 'http.host eq "art.example.com"' }],
    ['another status', { parameters: { ...singleRule(prefix, BASE, 301).parameters } }],
    [
      'a fixed address',
      {
        parameters: {
          from_value: { target_url: { value: 'https://a.example/' }, status_code: 302 },
        },
      },
    ],
    ['another action', { action: 'rewrite' }],
  ]

  test.each(edited)('%s', async (_, change) => {
    const { world, cloudflare, step, left } = stand({ ...made, ...change })
    const finding = await step.look(world)
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: { code: 'leave-rule-changed', what: expect.stringContaining(made.description) },
    })
    expect(warningsOf(finding)).toEqual([])
    expect(left()).toEqual(['made'])
    expect(cloudflare.writes).toEqual([])
    await expect(refuseChanged(world, HOST, zone)).rejects.toMatchObject({
      code: 'leave-rule-changed',
    })
  })

  test('one that is as it was made, or none, may be renewed', async () => {
    await refuseChanged(stand(made, ofNeighbour).world, HOST, zone)
    await refuseChanged(stand({ ...made, enabled: false }).world, HOST, zone)
    await refuseChanged(stand().world, HOST, zone)
  })

  test('between the plan and its yes, too', async () => {
    const { world, cloudflare, step, left } = stand(made)
    await step.look(world)
    cloudflare.rules = cloudflare.rules.map((kept) => ({
      ...kept,
      rule: { ...kept.rule, expression: 'true' },
    }))
    await expect(step.change?.(world)).rejects.toMatchObject({ code: 'leave-rule-changed' })
    expect(left()).toEqual(['made'])
  })
})

test('without the permission to look nothing is claimed', async () => {
  const { world, cloudflare, step } = stand(made)
  cloudflare.lookRefusal = refusal('cloudflare-9109')
  await expect(step.look(world)).rejects.toMatchObject({ code: 'redirect-permission' })
})
