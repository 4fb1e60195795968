import { checkFlags } from '../check/settings.ts'
import { Problem } from '../core/problem.ts'
import { findMastodonFiles, remember } from '../flow/mastodon-here.ts'
import { chooseVoice, gather } from '../flow/session.ts'
import type { Host } from '../host.ts'
import { rotateFlags } from '../rotate/settings.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { hasSwitch } from '../settings/argv.ts'
import { catalog, type SetupCatalog } from '../settings/catalog.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Ui } from '../ui/port.ts'

/** A command and its arguments, to go on with. */
export interface Choice {
  readonly command: 'init' | 'check' | 'rotate'
  readonly argv: readonly string[]
  /** Mastodon as it was found a moment ago; nobody was asked anything since. */
  readonly found?: Installation | undefined
}

/**
 * Asks a person whose server is set up already what this is about. Flags that only one of the ways
 * would take say it already; without a person, or with nothing set up, `init` it is.
 */
export async function initMenu(host: Host, argv: readonly string[]): Promise<Choice> {
  const init: Choice = { command: 'init', argv }
  const saysMore = [catalog.json, catalog.quiet, catalog.yes, catalog.dryRun, catalog.sandbox]
  if (!host.hasPerson || !argv.every(isOfEveryWay)) return init
  if (saysMore.some((setting) => hasSwitch(host, argv, setting))) return init
  // A person is asked something in any case: the screen is loaded while Mastodon is looked for.
  void import('../ui/clack.ts')
  const settings = await settled(host, argv)
  const found = settings && (await installed(host, settings))
  if (!settings || !found || !isSetUp(found, settings)) return { ...init, found }
  const colour = !hasSwitch(host, argv, catalog.noColor)
  const ui = await chooseVoice(host, { json: false, quiet: false, colour, print: false })
  const way = await ui.choose({
    message: 'This server is set up on R2 already. What would you like to do?',
    options: [
      { value: 'check', label: 'Check that all is well', hint: 'changes nothing' },
      { value: 'rotate', label: 'Rotate the access key', hint: 'a new key, without a gap' },
      { value: 'host', label: 'Change the media host', hint: 'another hostname for media' },
      { value: 'init', label: 'Set up again', hint: 'puts right what is not as it should be' },
    ],
  })
  if (way === 'check' || way === 'rotate') return { command: way, argv }
  if (way === 'init') return init
  return { command: 'init', argv: [...argv, '--media-host', await askHost(ui, settings)] }
}

/** Words that are no flags are values of the flag before them. */
function isOfEveryWay(word: string): boolean {
  if (/^-[a-z]/i.test(word)) return word === '-v'
  if (!word.startsWith('--')) return true
  const flags = (catalog: Catalog) => Object.values(catalog).map(({ flag }) => flag)
  const name = word.split('=')[0] ?? ''
  const open = ['--json', '--quiet', '--answers'].every((other) => other !== name)
  const taken = [flags(checkFlags), flags(rotateFlags)]
  return open && taken.every((known) => known.some((flag) => flag === name))
}

/** What is wrong with the flags is said by the command itself. */
async function settled(host: Host, argv: readonly string[]) {
  try {
    return await gather(host, 'init', argv, { catalog, asksFirst: true })
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

async function installed(host: Host, settings: Settings<SetupCatalog>) {
  try {
    return await findMastodonFiles({ host, settings })
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function isSetUp(found: Installation, settings: Settings<SetupCatalog>): boolean {
  const { bucket, mediaHost, key } = remember(found, settings.get('s3EndpointUrl'))
  return bucket !== undefined && mediaHost !== undefined && key !== undefined
}

async function askHost(ui: Ui, settings: Settings<SetupCatalog>): Promise<string> {
  await settings.ready()
  return ui.ask({
    message: 'Which hostname should serve the media from now on?',
    hint: 'Posts keep the old address for a while: leave the old hostname attached. Better announced a week before: Ctrl-C, then init --media-host HOST --announce',
    fault: (typed) => settings.fault('mediaHost', typed),
  })
}
