import { describe, expect, it } from 'vitest'
import type { Zone } from '../../src/services/cloudflare/port.ts'
import type { Installation } from '../../src/services/mastodon/port.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { chooseHost, suggest } from '../../src/setup/choose-host.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { FakeCloudflare } from '../fakes/fake-cloudflare.ts'
import { ACCOUNT, installationOf, setupOf } from '../fakes/fake-world.ts'
import { problemOf } from '../fakes/found.ts'
import { Screen } from '../ui/terminal.ts'

const zone = (name: string, status = 'active'): Zone => ({ ...setupOf().zone, name, status })
const at = (localDomain: string | undefined, webDomain?: string): Installation =>
  installationOf({ localDomain, webDomain })

describe('suggestions for the media host', () => {
  it.each<[string, Installation, Zone[], string[]]>([
    [
      'in the zone of the instance',
      at('example.com'),
      [zone('example.com')],
      ['files.example.com', 'media.example.com'],
    ],
    [
      'of its parent',
      at('social.example.com'),
      [zone('example.com')],
      ['files.example.com', 'media.example.com'],
    ],
    [
      'the web domain counts',
      at('example.com', 'social.example.net'),
      [zone('example.com'), zone('example.net')],
      ['files.example.net', 'media.example.net', 'files.example.com'],
    ],
    [
      'the longest zone wins',
      at('social.eu.example.com'),
      [zone('example.com'), zone('eu.example.com')],
      ['files.eu.example.com', 'media.eu.example.com', 'files.example.com'],
    ],
    [
      'a name that only ends alike',
      at('myexample.com'),
      [zone('example.com')],
      ['files.example.com'],
    ],
    [
      'never the instance itself',
      at('files.example.com'),
      [zone('example.com')],
      ['media.example.com'],
    ],
    ['nothing in a pending zone', at('example.com'), [zone('example.com', 'pending')], []],
    [
      'nothing known of the instance',
      at(undefined),
      [zone('a.example'), zone('b.example')],
      ['files.a.example', 'files.b.example'],
    ],
    [
      'at most five',
      at('example.com'),
      ['example.com', 'b.example', 'c.example', 'd.example', 'e.example'].map((name) => zone(name)),
      [
        'files.example.com',
        'media.example.com',
        'files.b.example',
        'files.c.example',
        'files.d.example',
      ],
    ],
    ['no zone', at('example.com'), [], []],
  ])('%s', (_, installation, zones, expected) => {
    expect(suggest(installation, zones)).toEqual(expected)
  })
})

async function choose(
  argv: Record<string, string>,
  zones: Zone[],
  installation = at('example.com'),
) {
  const screen = new Screen()
  const cloudflare = new FakeCloudflare()
  cloudflare.zones = zones
  const settings = await Settings.resolve(catalog, {
    flags: new Map(Object.entries(argv)),
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('read')),
  })
  const ui = plainUi({ words: screen, stdout: screen, stderr: screen, quiet: false })
  return { settings, cloudflare, ui, installation, account: Promise.resolve(ACCOUNT) }
}

describe('the media host given', () => {
  it('comes with its zone', async () => {
    const options = await choose({ mediaHost: 'files.example.com' }, [zone('example.com')])
    expect(await chooseHost(options)).toEqual({
      mediaHost: 'files.example.com',
      zone: zone('example.com'),
    })
  })

  it.each([
    ['the instance', 'example.com', 'media-host-refused', /files\.example\.com/],
    ['its web domain', 'social.example.com', 'media-host-refused', /hostname of Mastodon/],
    ['in no zone', 'files.example.net', 'zone-not-found', /example\.net/],
  ])('refused: %s', async (_, mediaHost, code, what) => {
    const installation = at('example.com', 'social.example.com')
    const options = await choose({ mediaHost }, [zone('example.com')], installation)
    const problem = await problemOf(chooseHost(options))
    expect([problem.code, problem.exit]).toEqual([code, 2])
    expect(problem.what).toMatch(what)
  })

  it('a token that sees no domain is told before any question', async () => {
    const problem = await problemOf(chooseHost(await choose({}, [])))
    expect([problem.code, problem.exit]).toEqual(['zone-not-found', 2])
  })
})

describe('the media host asked for', () => {
  const asked = async (...answers: string[]) => {
    const options = await choose({}, [zone('example.com')])
    const faults: (string | undefined)[] = []
    const ui = {
      ...options.ui,
      canAsk: true,
      choose: async () => answers.shift() ?? '',
      ask: async ({ fault }: { fault: (typed: string) => string | undefined }) => {
        const typed = answers.shift() ?? ''
        faults.push(fault(typed))
        return typed
      },
    }
    return { chosen: chooseHost({ ...options, ui }), faults, settings: options.settings }
  }

  it('one of the suggestions, by the person', async () => {
    const { chosen, settings } = await asked('media.example.com')
    expect((await chosen).mediaHost).toBe('media.example.com')
    expect(settings.source('mediaHost')).toBe('you')
  })

  it('another one is put right as a flag would be', async () => {
    const { chosen, faults } = await asked('another', 'https://Pics.Example.com/')
    expect((await chosen).mediaHost).toBe('pics.example.com')
    expect(faults).toEqual([undefined])
  })

  it.each([
    ['example.com', /Mastodon itself/],
    ['files.example.net', /none of your domains/],
    ['a_b.example.com', /./],
  ])('another one that does not do: %s', async (typed, fault) => {
    const { chosen, faults } = await asked('another', typed)
    await chosen.catch(() => undefined)
    expect(faults[0]).toMatch(fault)
  })
})
