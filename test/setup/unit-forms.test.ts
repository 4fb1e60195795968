import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { serviceSettings } from '../../src/check/areas/running.ts'
import { settingsChecks } from '../../src/check/areas/settings.ts'
import { checkCatalog } from '../../src/check/settings.ts'
import { findStorage } from '../../src/check/world.ts'
import { storageBlock } from '../../src/flow/mastodon-here.ts'
import { envWriter } from '../../src/flow/world.ts'
import { envReader } from '../../src/services/mastodon/env-read.ts'
import { findMastodon } from '../../src/services/mastodon/find.ts'
import type { EnvFileOnDisk } from '../../src/services/mastodon/port.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { shadowed } from '../../src/setup/env-file.ts'
import { unreachedBy } from '../../src/setup/reach.ts'
import { verdictsOf } from '../check/areas/verdicts.ts'
import { knownKey, setupOf } from '../fakes/fake-world.ts'
import { scratch, write } from '../services/mastodon/scratch.ts'

const LIVE = 'home/mastodon/live'
const UNITS = 'etc/systemd/system'
const SECOND = 'var/www/mastodon__2/live'

const unit = (exec: string, more = '', dir = `/${LIVE}`) =>
  `[Service]\nWorkingDirectory=${dir}\nExecStart=${exec}\n${more}`
const web = (more = '', dir?: string) => unit('/usr/bin/bundle exec puma', more, dir)
const sidekiq = (more = '', dir?: string) => unit('/usr/bin/bundle exec sidekiq -c 5', more, dir)

const source = (dir: string, domain: string) => ({
  [`${dir}/lib/mastodon/version.rb`]: '',
  [`${dir}/public/packs/manifest.json`]: '{}',
  [`${dir}/.env.production`]: `LOCAL_DOMAIN=${domain}\n`,
})
const plain = {
  ...source(LIVE, 'social.example.com'),
  [`${UNITS}/mastodon-web.service`]: web(),
  [`${UNITS}/mastodon-sidekiq.service`]: sidekiq(),
}

interface Form {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  /** Words of the refusal; without them all of Mastodon uses what is written. */
  readonly refused?: readonly string[]
  /** Units that are restarted; those of `plain` unless told. */
  readonly units?: readonly string[]
}

const forms: readonly Form[] = [
  { name: 'one unit of each', files: plain },
  {
    name: 'a drop-in of an instance switches it off',
    files: {
      ...plain,
      [`${UNITS}/mastodon-sidekiq@.service`]: sidekiq(),
      [`${UNITS}/multi-user.target.wants/mastodon-sidekiq@pull.service`]: '',
      [`${UNITS}/mastodon-sidekiq@pull.service.d/off.conf`]:
        '[Service]\nEnvironment=S3_ENABLED=false\n',
    },
    refused: ['mastodon-sidekiq@pull.service: remove S3_ENABLED'],
  },
  {
    name: 'an env file of its own for a queue',
    files: {
      ...plain,
      [`${UNITS}/mastodon-sidekiq-push.service`]: sidekiq('EnvironmentFile=/etc/mastodon/push.env'),
      'etc/mastodon/push.env': 'S3_ENABLED=false\nS3_BUCKET=old\n',
    },
    refused: ['mastodon-sidekiq-push.service: remove S3_ENABLED, S3_BUCKET'],
  },
  {
    name: 'an env file of its own that says nothing of storage',
    files: {
      ...plain,
      [`${UNITS}/mastodon-sidekiq-push.service`]: sidekiq('EnvironmentFile=/etc/mastodon/push.env'),
      'etc/mastodon/push.env': 'DB_POOL=25\n',
    },
    units: ['mastodon-sidekiq-push.service', 'mastodon-sidekiq.service', 'mastodon-web.service'],
  },
  {
    name: 'a template with two queues',
    files: {
      ...source(LIVE, 'social.example.com'),
      [`${UNITS}/mastodon-web.service`]: web(),
      [`${UNITS}/mastodon-sidekiq@.service`]: sidekiq('Environment=QUEUE=%i'),
      [`${UNITS}/multi-user.target.wants/mastodon-sidekiq@default.service`]: '',
      [`${UNITS}/multi-user.target.wants/mastodon-sidekiq@push.service`]: '',
    },
    units: [
      'mastodon-sidekiq@default.service',
      'mastodon-sidekiq@push.service',
      'mastodon-web.service',
    ],
  },
  {
    name: 'a drop-in of the template switches all queues off',
    files: {
      ...source(LIVE, 'social.example.com'),
      [`${UNITS}/mastodon-web.service`]: web(),
      [`${UNITS}/mastodon-sidekiq@.service`]: sidekiq(),
      [`${UNITS}/mastodon-sidekiq@.service.d/old.conf`]:
        '[Service]\nEnvironment="S3_ENABLED=false" S3_BUCKET=old\n',
      [`${UNITS}/multi-user.target.wants/mastodon-sidekiq@default.service`]: '',
    },
    refused: ['mastodon-sidekiq@default.service: remove S3_ENABLED, S3_BUCKET'],
  },
  {
    name: 'a drop-in that takes the other one back',
    files: {
      ...plain,
      [`${UNITS}/mastodon-sidekiq.service.d/10-old.conf`]:
        '[Service]\nEnvironment=S3_ENABLED=false\n',
      [`${UNITS}/mastodon-sidekiq.service.d/20-back.conf`]: '[Service]\nEnvironment=\n',
    },
  },
  {
    name: 'a name that is taken out',
    files: {
      ...plain,
      [`${UNITS}/mastodon-sidekiq.service`]: sidekiq(
        'Environment=S3_ENABLED=false\nUnsetEnvironment=S3_ENABLED',
      ),
    },
  },
  {
    name: 'all units say otherwise',
    files: {
      ...source(LIVE, 'social.example.com'),
      [`${UNITS}/mastodon-web.service`]: web('Environment=S3_ENABLED=false'),
      [`${UNITS}/mastodon-sidekiq.service`]: sidekiq('Environment=S3_ENABLED=false'),
    },
    refused: ['S3_ENABLED'],
  },
  {
    name: 'units of other names in the right folder',
    files: {
      ...source(LIVE, 'social.example.com'),
      [`${UNITS}/fedi-puma.service`]: web(),
      [`${UNITS}/fedi-jobs.service`]: sidekiq(),
    },
    units: ['fedi-jobs.service', 'fedi-puma.service'],
  },
  {
    name: 'units of other names, one of which says otherwise',
    files: {
      ...source(LIVE, 'social.example.com'),
      [`${UNITS}/fedi-puma.service`]: web(),
      [`${UNITS}/fedi-jobs.service`]: sidekiq('Environment=S3_BUCKET=old'),
    },
    refused: ['fedi-jobs.service: remove S3_BUCKET'],
  },
  {
    name: 'a second Mastodon on the machine, which says otherwise',
    files: {
      ...plain,
      ...source(SECOND, 'second.example.com'),
      [`${UNITS}/mastodon__2-web.service`]: web('Environment=S3_ENABLED=false', `/${SECOND}`),
      [`${UNITS}/mastodon__2-sidekiq.service`]: sidekiq(
        'Environment=S3_ENABLED=false',
        `/${SECOND}`,
      ),
    },
  },
]

const wanted = storageBlock(setupOf(), knownKey)
const checks = [...settingsChecks, serviceSettings]

async function look(root: string, changed?: { realPath: string; text: string }) {
  const dir = join(root, LIVE)
  return findMastodon({ root, cwd: dir, mastodonDir: dir, environment: {}, changed })
}

async function faultsOf(root: string) {
  const installation = await look(root)
  const settings = await Settings.resolve(checkCatalog, {
    flags: new Map(),
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('There is nothing to read.')),
  })
  const { storage } = findStorage(settings, installation)
  const found = await verdictsOf(checks, { installation, storage, envReader })
  return found.filter(({ verdict }) => verdict.severity === 'fault')
}

describe('units of systemd, as init and check see them', () => {
  test.each(forms)('$name', async ({ files, refused, units }) => {
    const root = write(scratch(), files)
    const now = await look(root)
    const file: EnvFileOnDisk = now.envFile
    const writer = await envWriter((at, text) => look(root, { realPath: at.realPath, text }))
    const text = writer.edit(file.text, wanted, [])
    const problem =
      shadowed(now, file, wanted) ?? (await unreachedBy(now, writer, { file, text }, wanted))
    writeFileSync(file.realPath, text)
    const faults = await faultsOf(root)
    if (refused === undefined) {
      expect({ problem: problem?.what, faults }).toEqual({ problem: undefined, faults: [] })
      const known = [...now.units.sidekiq, ...now.units.web]
      expect(known).toEqual(units ?? ['mastodon-sidekiq.service', 'mastodon-web.service'])
      return
    }
    const said = `${problem?.what}\n${problem?.next}`
    for (const word of refused) expect(said).toContain(word)
    expect(problem?.exit).toBe(2)
    expect(faults).not.toEqual([])
  })
})
