import { CLOCK_REFUSAL } from '../../core/clock.ts'
import { prose, toType } from '../../core/to-type.ts'
import { clockHint, type Hint, type Refused } from './service.ts'

type Telling = (at: Refused) => Hint

/** What the env file says of a provider is also what Mastodon goes by. */
function linesOf({ service }: Pick<Refused, 'service'>): string {
  return `in ${service.file ?? 'the env file'}`
}

function isNext({ service }: Pick<Refused, 'service'>): boolean {
  return service.role === 'next'
}

/** What the key has to be allowed. */
function rightsOf(at: Pick<Refused, 'service'>): string {
  return isNext(at) ? 'list, read, write and delete in the bucket' : 'list and read the bucket'
}

const wrongRegion: Telling = (at) => {
  const { service, bucket, region } = at
  const told = toldRegion(at)
  const lines = [
    ...(told.region === undefined ? [] : [`S3_REGION=${told.region}`]),
    ...(told.endpoint === undefined ? [] : [`S3_ENDPOINT=${told.endpoint}`]),
  ].map((line) => `\n  ${line}`)
  const isTold = lines.length > 0
  return {
    what:
      told.region === undefined
        ? `The bucket ${bucket} at ${service.name} is not where it was looked for.`
        : `The bucket ${bucket} at ${service.name} is in the region ${told.region}.`,
    why: `It was asked for in the region ${region}.`,
    next: isTold
      ? `Set ${lines.length === 1 ? 'this' : 'these'} ${linesOf(at)}${told.endpoint === undefined ? '' : ' (S3_ENDPOINT only where it is set now)'}, and run this again:${lines.join('')}`
      : `Look up the region of the bucket in the console of ${service.name}, set S3_REGION and S3_ENDPOINT ${linesOf(at)}, and run this again.`,
  }
}

const unknownKey: Telling = (at) => ({
  what: `${at.service.name} does not know the access key.`,
  why: 'AWS_ACCESS_KEY_ID has a mistake, or the key was deleted or switched off there.',
  next: `Make a key in the console of ${at.service.name} that may ${rightsOf(at)}, put it into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ${linesOf(at)}, and run this again.`,
})

const missingBucket: Telling = (at) => {
  const { service, bucket, endpoint } = at
  if (isInHost(at)) return isNext(at) ? nameInHost(at) : bucketInHost(at)
  return {
    what: `There is no bucket ${bucket} at ${service.name}.`,
    why: `${endpoint} does not have it: the name is wrong, it was deleted, or it lies in another region or account.`,
    next: `Check S3_BUCKET, S3_REGION and S3_ENDPOINT ${linesOf(at)} against the console of ${service.name}, and run this again.`,
  }
}

const denied: Telling = (at) => {
  const { service, bucket, asked } = at
  if (isNext(at)) {
    return {
      what: `The access key may not do in the bucket ${bucket} at ${service.name} what Mastodon does there.`,
      why: 'Mastodon lists, reads, writes and deletes (s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject), and sets an ACL (s3:PutObjectAcl) unless S3_PERMISSION is there and empty.',
      next: `Give the key these rights in the console of ${service.name}; if the bucket takes no ACLs, put the line S3_PERMISSION= ${linesOf(at)}. Then run this again.`,
    }
  }
  if (asked === 'object') {
    return {
      what: `${service.name} does not give out this object.`,
      why: `The access key may not read it (s3:GetObject), or it belongs to another account than the bucket ${bucket}.`,
      next: `Give the key the right to read, or make the bucket's owner the owner of the object, in the console of ${service.name}; then run this again.`,
    }
  }
  return {
    what: `The access key may not list the bucket ${bucket} at ${service.name}.`,
    why: 'A copy needs the right to list (s3:ListBucket on the bucket), besides that to read (s3:GetObject on its objects). Mastodon works without it.',
    next: `Add the right to list to the key or the bucket's policy in the console of ${service.name}, and run this again.`,
  }
}

const slow: Telling = ({ service }) => ({
  what: `${service.name} asks to go on more slowly.`,
  why: 'It was waited for several times, longer each time, and it still refuses.',
  next: 'Run this again in some minutes; it goes on from here. For rclone, fewer at a time: --transfers 8',
})

/** What a bucket says that was made without ACLs, to an upload with one. */
const noAcls: Telling = (at) => ({
  what: `The bucket ${at.bucket} at ${at.service.name} takes no ACLs.`,
  why: 'Mastodon sends one with every upload unless S3_PERMISSION is there and empty.',
  next: `Put the line S3_PERMISSION= ${linesOf(at)} (a policy of the bucket then has to let everyone read), and run this again.`,
})

const byName: Readonly<Record<string, Telling>> = {
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  InvalidRegionName: wrongRegion,
  InvalidAccessKeyId: unknownKey,
  Unauthorized: unknownKey,
  SignatureDoesNotMatch: ({ service }) => ({
    what: `The secret does not fit the access key of ${service.name}.`,
    why: 'The key of AWS_ACCESS_KEY_ID is known there; AWS_SECRET_ACCESS_KEY is not its secret.',
    next: `Copy the secret once more from where it was noted, or make a new key in the console of ${service.name}, put it ${linesOf({ service })}, and run this again.`,
  }),
  AccessDenied: denied,
  AllAccessDisabled: denied,
  InvalidObjectState: ({ service }) => ({
    what: `The object is in an archive of ${service.name}.`,
    why: 'Its storage class (Glacier or the like) has to be taken back before it can be read.',
    next: `Restore it in the console of ${service.name}, wait until that is done, and run this again.`,
  }),
  AccessControlListNotSupported: noAcls,
  NoSuchBucket: missingBucket,
  NoSuchKey: (at) =>
    at.asked === 'object'
      ? {
          what: `The object is not at ${at.service.name}.`,
          why: 'It was deleted meanwhile, or is listed without being there.',
          next: 'Run this again.',
        }
      : missingBucket(at),
  SlowDown: slow,
  TooManyRequests: slow,
  RequestLimitExceeded: slow,
}

const names: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  307: 'TemporaryRedirect',
  401: 'Unauthorized',
  403: 'AccessDenied',
  404: 'NoSuchBucket',
  429: 'SlowDown',
}

/** Refusals of another provider: never with R2's advice, never with a new key of ours. */
export function sourceHint(at: Refused): Hint {
  if (CLOCK_REFUSAL.test(at.name)) return clockHint(at)
  const tell = byName[at.name] ?? byName[names[at.status] ?? '']
  if (tell) return tell(at)
  const { name } = at.service
  if (at.status >= 500) {
    return {
      what: `${name} has trouble of its own.`,
      why: 'It answered with an error several times.',
      next: `Look at the status page of ${name}, and run this again later.`,
    }
  }
  return {
    what: `${name} refused a request.`,
    why: 'This tool does not know the reason.',
    next: `Look the name up in the documentation of ${name}, put it right and run this again.`,
  }
}

/** As the answer tells them: `<Region>`, `<Endpoint>`, a header, or the words of AWS. */
function toldRegion({ told, said, bucket, endpoint, region: asked }: Refused) {
  const region = told.region ?? /expecting '([a-z0-9-]+)'/.exec(said)?.[1]
  const host = told.endpoint?.replace(/^https?:\/\//, '').replace(`${bucket}.`, '')
  const own = new URL(endpoint).host
  const found = region ?? /\bs3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(host ?? '')?.[1]
  // An address that names the other region goes on being refused, whatever S3_REGION says.
  const moved = found !== undefined && asked !== '' ? own.replace(asked, () => found) : own
  const right = host ?? moved
  return {
    region: found,
    endpoint:
      right === own || !/^[a-z0-9.-]+(:\d+)?$/i.test(right) ? undefined : `https://${right}`,
  }
}

/** Then the name stands in the path too, and Mastodon's keys begin with it. */
function isInHost({ bucket, endpoint }: Refused): boolean {
  return new URL(endpoint).hostname.startsWith(`${bucket}.`)
}

const nameInHost: Telling = (at) => {
  const { protocol, host } = new URL(at.endpoint)
  return {
    what: `S3_ENDPOINT has the bucket's name in it: ${host}.`,
    why: `The bucket is asked for once more in the path, so its keys would lie below ${at.bucket}/.`,
    next: `Set this line ${linesOf(at)}, and run this again:\n  S3_ENDPOINT=${protocol}//${host.slice(at.bucket.length + 1)}`,
  }
}

const bucketInHost: Telling = ({ service, bucket, endpoint }) => {
  const { protocol, host } = new URL(endpoint)
  const bare = host.slice(bucket.length + 1)
  return {
    what: `S3_ENDPOINT has the bucket's name in it: ${host}.`,
    why: `The bucket is asked for once more in the path. If Mastodon's uploads work so, its keys lie below ${bucket}/ in the bucket ${bucket}; on R2 the media lies at the top.`,
    next: prose`Look into the bucket in the console of ${service.name}. Are there folders such as ${bucket}/accounts? Then copy with rclone, which takes ${bucket}/ off: rclone copy OLD:${bucket}/${bucket} R2:BUCKET (OLD with the endpoint ${protocol}//${bare}); then: ${toType('check')}\nIs accounts at the top? Then set this line in the env file, and run this again:\n  S3_ENDPOINT=${protocol}//${bare}`,
  }
}
