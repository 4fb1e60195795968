import { describe, expect, it, test } from 'vitest'
import { remember } from '../../src/flow/mastodon-here.ts'
import { restart, restartsIn } from '../../src/setup/closing.ts'
import { hasMedia, mediaWords } from '../../src/setup/existing-media.ts'
import { bringOut } from '../../src/setup/hidden-media.ts'
import { installationOf, setupOf } from '../fakes/fake-world.ts'

const path = '/opt/mastodon/public/system'
const media = { root: undefined, files: 0, more: false, readable: false }
const at = (volume: string | undefined) =>
  installationOf({
    kind: 'docker',
    dir: '/opt/my mastodon',
    composeFile: '/opt/my mastodon/compose.yml',
    media: { ...media, hidden: { path, service: 'web', volume } },
  })
const nothing = remember(installationOf())

describe('media inside of a container', () => {
  it('is asked about', () => {
    expect(hasMedia(at(undefined), nothing, 'media')).toBe(true)
    expect(mediaWords(at(undefined), nothing)).toContain('is lost when docker compose up')
  })

  it('is brought out before anything else is typed', () => {
    const lines = restart({ installation: at(undefined) }).lines.map(String)
    const copy = lines.findIndex((line) => line.includes('docker compose cp'))
    expect(lines[copy]).toBe(
      "  cd '/opt/my mastodon' && mkdir -p public && docker compose cp web:/opt/mastodon/public/system public/",
    )
    expect(copy).toBeLessThan(lines.findIndex((line) => line.includes('docker compose up -d')))
  })
})

test('a volume of Docker’s stays, whatever is typed', () => {
  expect(mediaWords(at('media'), nothing)).toContain("Docker's volume media")
  expect(bringOut(at('media'))).toEqual([])
})

test('elsewhere there is nothing to bring out', () => {
  expect(bringOut(setupOf().installation)).toEqual([])
})

test('the report has all that is to be done, in its order', () => {
  const [all = '', ...more] = restartsIn([restart({ installation: at(undefined) })])
  const text = String(all)
  expect(more).toEqual([])
  expect(text.indexOf('docker compose cp')).toBeLessThan(text.indexOf('./public/system:'))
  expect(text.indexOf('./public/system:')).toBeLessThan(text.indexOf('docker compose up -d'))
})
