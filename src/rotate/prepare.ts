import { jurisdictionNamed } from '../core/jurisdictions.ts'
import {
  findMastodonHere,
  holdEnvFile,
  isNowhere,
  nowhere,
  type Remembered,
  remember,
} from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { chooseAccount, refuseOtherAccount } from '../flow/token.ts'
import { chooseCloudflare, connectWorld } from '../flow/world.ts'
import { inMinting, type Minting, type MintingWorld } from '../plan/step.ts'
import type { CloudflarePort, KeyOwner } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { kindImpossible } from '../setup/choose.ts'
import { nothingToRotate } from './keys.ts'
import type { rotateCatalog } from './settings.ts'

type RotateRun = Run<typeof rotateCatalog>

/** A new key works within a minute (Cloudflare docs); half as much again for a slow day. */
const WAIT_KEY_MS = 90_000

/**
 * Everything between the flags and the plan. The env file tells what is rotated; no zone is touched,
 * so the token need not see any.
 */
export async function prepareRotation(run: RotateRun): Promise<MintingWorld> {
  const { ui, settings } = run
  const found = await findMastodonHere(run)
  if (isNowhere(found, settings)) throw nowhere()
  const held = await holdEnvFile(run, found.envFile, { lookOnly: false })
  const installation = held === 'changed' ? await findMastodonHere(run) : found
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  const known = complete(remembered, installation)
  if (!ui.canAsk) {
    const problem = settings.missing(['apiToken'])
    if (problem) throw problem
  }
  if (remembered.accountId !== undefined && settings.get('accountId') === undefined) {
    settings.offer('accountId', remembered.accountId, remembered.from)
  }
  settings.offer('mediaHost', known.mediaHost, remembered.from)
  settings.offer('bucket', known.bucket, remembered.from)
  const { cloudflare, token } = await chooseCloudflare(run)
  refuseOtherAccount(settings, remembered)
  const accountId = remembered.accountId ?? (await chooseAccount(settings, ui, cloudflare))
  const owner = await ownerOf(run, cloudflare, token, accountId, known.key.accessKeyId)
  const minting: Minting = {
    token,
    owner,
    isOwnerWished: settings.get('tokenKind') !== undefined,
    at: {
      accountId,
      bucket: known.bucket,
      jurisdiction: jurisdictionNamed(remembered.jurisdiction ?? settings.get('jurisdiction')),
    },
    mediaHost: known.mediaHost,
    corsOrigins: settings.need('corsOrigin'),
    allowIps: settings.get('allowIp') ?? [],
    keyExpiresOn: settings.get('expires'),
    s3Endpoint: settings.get('s3EndpointUrl') ?? known.endpoint,
    waitKeyMs: WAIT_KEY_MS,
    installation,
    target: { kind: 'file', file: installation.envFile },
    knownKey: known.key,
  }
  // The domain is there since the setup, and is not looked after here.
  const facts = { domainActive: { attached: false } }
  return connectWorld(run, inMinting(minting), { cloudflare, facts })
}

function complete({ bucket, mediaHost, key }: Remembered, { envFile, settings }: Installation) {
  const endpoint = settings.get('S3_ENDPOINT')?.value.replace(/\/+$/, '')
  if (bucket !== undefined && mediaHost !== undefined && key && endpoint !== undefined) {
    return { bucket, mediaHost, key, endpoint }
  }
  throw nothingToRotate(envFile)
}

/** The same owner as the old key has; a user's token may see keys of both kinds. */
async function ownerOf(
  { settings }: RotateRun,
  cloudflare: CloudflarePort,
  token: Minting['token'],
  accountId: string,
  keyId: string,
): Promise<KeyOwner> {
  const account: KeyOwner = { kind: 'account', accountId }
  const user: KeyOwner = { kind: 'user' }
  const wish = settings.get('tokenKind')
  const { kind } = await token()
  if (wish === 'user' && kind === 'account') throw kindImpossible()
  if (kind === 'account') return account
  if (wish !== undefined) return wish === 'user' ? user : account
  if (await cloudflare.findKey(account, keyId)) return account
  if (await cloudflare.findKey(user, keyId)) return user
  return (await cloudflare.can('account-tokens', { accountId })) ? account : user
}
