import { describe, expect, it } from 'vitest'
import { extraMediaHosts, keptPlace } from '../../src/redirects/kept.ts'
import { redirectSteps } from '../../src/redirects/redirects.ts'
import { ENV, envFileOf, installationOf } from '../fakes/fake-world.ts'
import { found, worded } from '../fakes/found.ts'
import { OLD, redirectingWorld } from './redirecting-world.ts'

const cdn = { host: 'cdn.other.example', path: '/file/my-media/', served: 'alias' } as const
const provider = { host: 's3.other.example', path: '/my-media/', served: 'provider' } as const

function at(lines: string, more: Parameters<typeof installationOf>[0] = {}) {
  const { world } = redirectingWorld()
  const envFile = envFileOf(lines)
  const settings = new Map(
    lines.split('\n').flatMap((line) => {
      const [name = '', value = ''] = line.split('=')
      return name === '' ? [] : [[name, { value, from: ENV }] as const]
    }),
  )
  const installation = installationOf({ envFile, envFiles: [envFile], settings, ...more })
  return { ...world, place: { ...world.place, installation } }
}

describe('an old place that can not be led on from here', () => {
  it.each([
    [
      'an alias',
      cdn,
      /redirect https:\/\/cdn\.other\.example\/file\/my-media\/\.\.\. to .*--via nginx/,
    ],
    ['a provider', provider, /^Keep the media at s3\.other\.example readable/],
  ])('%s: it is said what to do', async (_, place, next) => {
    const { world, redirecting } = redirectingWorld()
    const step = keptPlace(redirecting, place, 'that is why')
    const finding = await step.look(world)
    if (finding.is !== 'later') throw new Error(finding.is)
    expect(finding.note).toEqual(
      worded(/\(that is why\): keep that host alive, or redirect it there$/),
    )
    expect(finding.next).toEqual(worded(next))
  })

  it('that leads to the media host already is ready', async () => {
    const { world, edge, redirecting } = redirectingWorld()
    edge.elsewhere = 302
    expect(found(await keptPlace(redirecting, OLD, 'x').look(world))).toMatch(
      /^ready .* 302 already/,
    )
  })

  it('stays named in the pages, once Mastodon is switched', async () => {
    const { redirecting } = redirectingWorld()
    const routes = [cdn, provider].map((prefix) => ({ prefix, by: 'kept' as const, why: '' }))
    const nothing = {
      instanceHost: OLD.host,
      webServer: { check: async () => ({ is: 'good' as const }) },
      told: () => undefined,
      textFor: async () => () => '',
    }
    const ids = async (switchedOn: boolean) =>
      (await redirectSteps({ ...redirecting, switchedOn }, routes, nothing)).map(({ id }) => id)
    const kept = [
      'known-media',
      'kept:cdn.other.example/file/my-media/',
      'kept:s3.other.example/my-media/',
    ]
    expect(await ids(true)).toEqual([...kept, 'extra-media-hosts'])
    expect(await ids(false)).toEqual(kept)
  })
})

describe('EXTRA_MEDIA_HOSTS', () => {
  const step = () => extraMediaHosts([cdn.host, provider.host])
  const both = 'https://cdn.other.example,https://s3.other.example'

  it.each([
    ['nothing there', 'A=b\n', `EXTRA_MEDIA_HOSTS=${both}`],
    [
      'others stay',
      'EXTRA_MEDIA_HOSTS=https://x.example\n',
      `EXTRA_MEDIA_HOSTS=https://x.example,${both}`,
    ],
    [
      'one of them is there',
      'EXTRA_MEDIA_HOSTS=https://s3.other.example\n',
      'EXTRA_MEDIA_HOSTS=https://s3.other.example,https://cdn.other.example',
    ],
  ])('%s', async (_, lines, wanted) => {
    const world = at(lines)
    const one = step()
    expect(found(await one.look(world))).toMatch(/^change write EXTRA_MEDIA_HOSTS=/)
    await one.change?.(world)
    expect(world.envWriter.written.at(-1)).toContain(`${wanted}\n`)
    expect(found(await one.look(world))).toMatch(/^ready names .*next restart/)
  })

  it('is ready when both are named', async () => {
    expect(found(await step().look(at(`EXTRA_MEDIA_HOSTS=${both}\n`)))).toMatch(/^ready names/)
  })

  it.each([
    ['a version that does not know it', { version: '4.3.9' }, /does not know it/],
    [
      'a file that can not be written',
      { envFile: envFileOf('', { writable: false }) },
      /can't be written/,
    ],
  ])('%s: said, and nothing written', async (_, more, note) => {
    const world = at('', more)
    const finding = await step().look(world)
    expect(finding).toMatchObject({ is: 'later', note: worded(note) })
    expect(world.envWriter.written).toEqual([])
  })

  /** `EXTRA_MEDIA_HOSTS: ${EXTRA_MEDIA_HOSTS:-}` of the web service: what the env file says, or nothing. */
  function composed(fillIn: (own: string) => string) {
    const reading = (own: string) => {
      const value = { value: fillIn(own), from: '/srv/docker-compose.yml' }
      const settings = new Map([['EXTRA_MEDIA_HOSTS', value]])
      const service = { name: 'web', role: 'web' as const, envFiles: [ENV], settings }
      return { kind: 'docker' as const, settings, services: [service] }
    }
    const world = at('', reading(''))
    world.envWriter.preview = async (envFile, text) => {
      const own = /^EXTRA_MEDIA_HOSTS=(.*)$/m.exec(text)?.[1] ?? ''
      return installationOf({ ...reading(own), envFile, envFiles: [envFile] })
    }
    return world
  }

  it('is written where a compose file fills it in from there', async () => {
    const world = composed((own) => own)
    expect(found(await step().look(world))).toMatch(/^change write EXTRA_MEDIA_HOSTS=/)
  })

  it('is not where a compose file gives a service another one', async () => {
    const finding = await step().look(composed(() => 'https://x.example'))
    expect(finding).toMatchObject({ is: 'later', note: worded(/gives web another EXTRA_MEDIA_H/) })
  })

  it('is not written where a stronger file sets it', async () => {
    const settings = new Map([
      ['EXTRA_MEDIA_HOSTS', { value: 'https://x.example', from: '/x/.env' }],
    ])
    const world = at('', { settings })
    expect((await step().look(world)).is).toBe('later')
  })
})
